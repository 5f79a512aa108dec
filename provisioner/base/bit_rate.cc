#include "provisioner/base/bit_rate.h"

#include <algorithm>
#include <array>
#include <boost/algorithm/string/case_conv.hpp>
#include <charconv>

namespace umlfarm {
namespace {

constexpr std::array<std::string_view, 5> kUnits{"bit", "kbit", "mbit", "gbit", "tbit"};
constexpr std::uint64_t kStep = 1000;

Error invalid(std::string_view text) {
  return {Kind::Invalid,
          "rate '" + std::string(text) + "': write a whole number and a unit, such as 10mbit or 512kbit"};
}

}  // namespace

Result<BitRate> BitRate::parse(std::string_view text) {
  std::uint64_t bits = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), bits);
  if (status != std::errc{}) return invalid(text);
  std::string unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (unit.starts_with(' ')) unit.erase(0, 1);
  boost::algorithm::to_lower(unit);
  const auto found = std::find(kUnits.begin(), kUnits.end(), unit);
  // Nothing is nothing in any unit.
  if (found == kUnits.end() && !(unit.empty() && bits == 0)) return invalid(text);
  for (auto step = kUnits.begin(); bits != 0 && step != found; ++step) {
    if (bits > std::uint64_t{INT64_MAX} / kStep) return invalid(text);
    bits *= kStep;
  }
  if (bits > std::uint64_t{INT64_MAX}) return invalid(text);
  return BitRate(bits);
}

std::string BitRate::str() const {
  std::uint64_t number = bits_;
  std::size_t unit = 0;
  for (; number != 0 && number % kStep == 0 && unit + 1 < kUnits.size(); ++unit) number /= kStep;
  return std::to_string(number) + " " + std::string(kUnits[unit]);
}

}  // namespace umlfarm
