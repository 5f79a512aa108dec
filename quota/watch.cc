#include "quota/watch.h"

#include <algorithm>
#include <sstream>
#include <string_view>
#include <utility>

namespace umlfarm::quota {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;

}  // namespace

std::optional<Warning> Watch::too_many(const GuestProcesses& guest, Seen& seen) const {
  const bool many = rules_.processes_percent != 0 && guest.limit != 0 &&
                    guest.count * 100 >= guest.limit * rules_.processes_percent;
  const bool told = std::exchange(seen.told_of_processes, many);
  const std::uint64_t before = std::exchange(seen.count, guest.count);
  if (!many || told) return {};
  return Warning{guest.id, "processes",
                 "has " + std::to_string(guest.count) + " host processes of at most " +
                     std::to_string(guest.limit) + ", and had " + std::to_string(before) +
                     " at the last look"};
}

std::optional<Warning> Watch::never_rests(const GuestProcesses& guest, Seen& seen,
                                          std::int64_t now_ms) const {
  const bool busy = rules_.busy_percent != 0 && guest.busiest && *guest.busiest * 100 >= rules_.busy_percent;
  if (!busy) {
    seen.busy_since_ms = 0;
    seen.told_of_busy = false;
    return {};
  }
  if (seen.busy_since_ms == 0) seen.busy_since_ms = now_ms;
  const std::int64_t minutes = (now_ms - seen.busy_since_ms) / kMinuteMs;
  if (seen.told_of_busy || minutes < rules_.busy_minutes) return {};
  seen.told_of_busy = true;
  return Warning{guest.id, "busy",
                 "one of its processes has taken " + std::to_string(rules_.busy_percent) +
                     " % of a processor and more for " + std::to_string(minutes) + " minutes"};
}

std::vector<Warning> Watch::look(const std::vector<GuestProcesses>& guests, std::int64_t now_ms) {
  std::vector<Warning> warnings;
  std::map<std::string, Seen> seen;
  for (const GuestProcesses& guest : guests) {
    Seen& now = seen[guest.id] = seen_[guest.id];
    for (auto& warning : {too_many(guest, now), never_rests(guest, now, now_ms)}) {
      if (warning) warnings.push_back(*warning);
    }
  }
  seen_ = std::move(seen);
  return warnings;
}

std::uint64_t most_gained(const std::map<int, std::uint64_t>& before,
                          const std::map<int, std::uint64_t>& now) {
  std::uint64_t most = 0;
  for (const auto& [process, ticks] : now) {
    const auto was = before.find(process);
    // One that is new, or another of the same number, has taken all of it since.
    const std::uint64_t then = was == before.end() || was->second > ticks ? 0 : was->second;
    most = std::max(most, ticks - then);
  }
  return most;
}

std::optional<std::uint64_t> ticks_of(std::string_view stat) {
  // The name before it, in parentheses, may hold anything.
  const std::size_t at = stat.rfind(") ");
  if (at == std::string_view::npos) return {};
  std::istringstream words{std::string(stat.substr(at + 2))};
  std::string skipped;
  constexpr int kBeforeUserTime = 11;
  for (int i = 0; i < kBeforeUserTime; ++i) words >> skipped;
  std::uint64_t user = 0;
  std::uint64_t system = 0;
  if (!(words >> user >> system)) return {};
  return user + system;
}

}  // namespace umlfarm::quota
