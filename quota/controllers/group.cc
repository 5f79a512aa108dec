#include "quota/controllers/group.h"

#include <charconv>

#include "provisioner/base/cut.h"
#include "provisioner/base/posix.h"

namespace umlfarm::quota {

std::uint64_t leading_number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::uint64_t find_count(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::string_view line = cut(text, '\n');
    if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ' ') {
      return leading_number(line.substr(key.size() + 1));
    }
  }
  return 0;
}

std::uint64_t read_count(const std::string& file) {
  const auto text = posix::read_file(file);
  return text ? leading_number(*text) : 0;
}

std::uint64_t read_count(const std::string& file, std::string_view key) {
  const auto text = posix::read_file(file);
  return text ? find_count(*text, key) : 0;
}

}  // namespace umlfarm::quota
