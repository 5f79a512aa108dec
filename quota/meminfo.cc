#include "quota/meminfo.h"

#include <algorithm>
#include <charconv>

#include "provisioner/base/cut.h"

namespace umlfarm::quota {

std::optional<std::uint64_t> meminfo_kib(std::string_view text, std::string_view label) {
  while (!text.empty()) {
    std::string_view line = cut(text, '\n');
    if (!line.starts_with(label) || line.substr(label.size(), 1) != ":") continue;
    line.remove_prefix(label.size() + 1);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    std::uint64_t kib = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), kib);
    return error == std::errc() ? std::optional(kib) : std::nullopt;
  }
  return {};
}

}  // namespace umlfarm::quota
