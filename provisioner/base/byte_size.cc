#include "provisioner/base/byte_size.h"

#include <array>
#include <charconv>
#include <cstdio>

namespace umlfarm {
namespace {

constexpr std::array<std::string_view, 7> kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

Error invalid(std::string_view text, std::string_view why) {
  return {Kind::Invalid, "size '" + std::string(text) + "' " + std::string(why) +
                             "; write a whole number with a unit, such as 512M or 20G"};
}

// The power of 1024 a unit stands for, or -1.
int unit_power(std::string_view unit) {
  if (unit.empty()) return 0;
  for (std::size_t power = 0; power < kUnits.size(); ++power) {
    if (unit == kUnits[power] || (power > 0 && unit == kUnits[power].substr(0, 1))) {
      return static_cast<int>(power);
    }
  }
  return -1;
}

}  // namespace

Result<ByteSize> ByteSize::parse(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status == std::errc::result_out_of_range) return invalid(text, "is too large");
  if (status != std::errc{}) return invalid(text, "is not a size");
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  const int power = unit_power(unit);
  if (power < 0) return invalid(text, "has an unknown unit");
  const unsigned shift = 10U * static_cast<unsigned>(power);
  if (number > (std::uint64_t{INT64_MAX} >> shift)) return invalid(text, "is too large");
  return ByteSize(number << shift);
}

std::string ByteSize::str() const {
  std::uint64_t number = bytes_;
  std::size_t power = 0;
  while (number != 0 && number % 1024 == 0 && power + 1 < kUnits.size()) {
    number /= 1024;
    ++power;
  }
  return std::to_string(number) + " " + std::string(kUnits[power]);
}

std::string human_size(std::uint64_t bytes) {
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  char number[32];
  const bool whole = unit == 0 || value >= 99.95 || value == static_cast<double>(static_cast<int>(value));
  (void)std::snprintf(number, sizeof number, whole ? "%.0f " : "%.1f ", value);
  return number + std::string(kUnits[unit]);
}

}  // namespace umlfarm
