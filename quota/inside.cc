#include "quota/inside.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>

#include "quota/meminfo.h"

namespace umlfarm::quota {
namespace {

constexpr double kMost = 1e9;

// The number that the text begins with, which is taken from it.
std::optional<double> take_number(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(value) || value < 0 || value > kMost) return {};
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.empty() && text.front() != ' ' && text.front() != '\n') return {};
  return value;
}

std::optional<ByteSize> memory(std::string_view meminfo, std::string_view label) {
  constexpr std::uint64_t kMostKib = std::uint64_t{1} << 42U;
  const auto kib = meminfo_kib(meminfo, label);
  return kib && *kib <= kMostKib ? std::optional(ByteSize::kib(*kib)) : std::nullopt;
}

Error wrong(const char* what) {
  return {Kind::Internal, std::string("the guest's ") + what + " is none that a kernel writes"};
}

}  // namespace

Result<Inside> read_inside(std::string_view loadavg, std::string_view meminfo, std::string_view uptime) {
  Inside inside;
  for (double Inside::*const load : {&Inside::load1, &Inside::load5, &Inside::load15}) {
    const auto value = take_number(loadavg);
    if (!value) return wrong("loadavg");
    inside.*load = *value;
  }
  const auto total = memory(meminfo, "MemTotal");
  const auto available = memory(meminfo, "MemAvailable");
  if (!total || !available) return wrong("meminfo");
  inside.memory_total = *total;
  inside.memory_available = *available;
  const auto seconds = take_number(uptime);
  if (!seconds) return wrong("uptime");
  inside.uptime_seconds = *seconds;
  return inside;
}

}  // namespace umlfarm::quota
