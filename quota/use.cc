#include "quota/use.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <limits>

namespace umlfarm::quota {
namespace {

// Of a host that was off for longer, or whose clock says so, no more is counted.
constexpr std::int64_t kMostDowntimeMs = std::int64_t{31} * 24 * kHourMs;

__extension__ using Wide = unsigned __int128;

std::uint64_t add(std::uint64_t a, std::uint64_t b) {
  return a > std::numeric_limits<std::uint64_t>::max() - b ? std::numeric_limits<std::uint64_t>::max()
                                                           : a + b;
}

// Of `total` that came evenly in `all` of time, what had come after `part` of it. What lies between two parts
// adds up to the total.
std::uint64_t share(std::uint64_t total, std::int64_t part, std::int64_t all) {
  if (part >= all) return total;
  return static_cast<std::uint64_t>(Wide{total} * static_cast<Wide>(part) / static_cast<Wide>(all));
}

std::uint64_t blocks(std::uint64_t bytes) { return bytes / kUseBlock + (bytes % kUseBlock == 0 ? 0 : 1); }

std::int64_t floor_hour(std::int64_t ms) { return ms / kHourMs - (ms % kHourMs < 0 ? 1 : 0); }

struct Span {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::uint64_t within(std::int64_t from, std::int64_t to) const {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, std::min(end, to) - std::max(begin, from)));
  }
};

// When it ran, of the time from `begin` to `end`: at its beginning, and at its end.
struct Ran {
  Span first;
  Span last;
};

bool same_start(const Moment& a, const Moment& b) { return !a.boot.empty() && a.boot == b.boot; }

Ran when_it_ran(const UseSeen& before, const UseReading& now, const Moment& at, std::int64_t begin) {
  const std::int64_t end = at.wall_ms;
  const bool ran_before = before.started_ms != 0;
  if (ran_before && now.running && now.started_ms == before.started_ms) return {{begin, end}, {end, end}};
  Ran ran{{begin, begin}, {end, end}};
  const bool started_since = now.started_ms != before.started_ms && now.started_ms > begin;
  if (now.running || started_since) ran.last.begin = std::clamp(now.started_ms, begin, end);
  if (!now.running && started_since) ran.last.end = std::clamp(now.ended_ms, ran.last.begin, end);
  // With the host it went down at a time that nobody noted. An end from before it started is another life's:
  // this one's is not known yet.
  if (ran_before && same_start(before.at, at)) {
    const bool known = now.running || now.ended_ms >= before.started_ms;
    ran.first.end = std::clamp(known ? now.ended_ms : end, begin, ran.last.begin);
  }
  return ran;
}

std::uint64_t gained(std::uint64_t now, std::uint64_t was) { return now < was ? 0 : now - was; }

std::uint64_t cpu_gained(const UseSeen& before, const UseReading& now) {
  if (now.cpu_made.empty() || before.cpu_made == kUnknownCounter) return 0;
  return now.cpu_made == before.cpu_made ? gained(now.cpu_ns, before.cpu_ns) : now.cpu_ns;
}

}  // namespace

std::int64_t elapsed_ms(const Moment& from, const Moment& to) {
  if (same_start(from, to)) return std::max<std::int64_t>(0, to.uptime_ms - from.uptime_ms);
  return std::clamp<std::int64_t>(to.wall_ms - from.wall_ms, 0, kMostDowntimeMs);
}

UseSeen seen(const UseSeen& before, const UseReading& reading, const Moment& at) {
  const bool same_counter = !reading.cpu_made.empty() && before.cpu_made == reading.cpu_made;
  return {
      at,
      reading.cpu_made,
      same_counter ? std::max(before.cpu_ns, reading.cpu_ns) : reading.cpu_ns,
      {std::max(before.traffic.in, reading.traffic.in), std::max(before.traffic.out, reading.traffic.out)},
      reading.running ? reading.started_ms : 0,
      reading.memory_held};
}

Use plus(const Use& a, const Use& b) {
  Use sum = a;
  for (auto member : {&Use::cpu_ns, &Use::memory_promised, &Use::memory_held, &Use::disk_promised,
                      &Use::disk_held, &Use::running_ms, &Use::stopped_ms, &Use::suspended_ms}) {
    sum.*member = add(a.*member, b.*member);
  }
  sum.traffic = {add(a.traffic.in, b.traffic.in), add(a.traffic.out, b.traffic.out)};
  return sum;
}

std::map<Hour, Use> used_between(const UseSeen& before, const UseReading& now, const Moment& at) {
  const std::int64_t all = elapsed_ms(before.at, at);
  const std::int64_t end = at.wall_ms;
  const std::int64_t begin = end - all;
  const std::uint64_t cpu_ns = cpu_gained(before, now);
  const Carried traffic{gained(now.traffic.in, before.traffic.in),
                        gained(now.traffic.out, before.traffic.out)};
  const Ran ran = when_it_ran(before, now, at, begin);
  std::map<Hour, Use> hours;
  for (std::int64_t from = begin;;) {
    const Hour hour = floor_hour(from);
    const std::int64_t to = std::min(end, (hour + 1) * kHourMs);
    const auto between = [&](std::uint64_t total) {
      return share(total, to - begin, all) - share(total, from - begin, all);
    };
    // Of no time at all, everything came in it.
    const auto came = [&](std::uint64_t total) { return all == 0 ? total : between(total); };
    const auto passed = static_cast<std::uint64_t>(to - from);
    Use& use = hours[hour];
    use.cpu_ns = came(cpu_ns);
    use.traffic = {came(traffic.in), came(traffic.out)};
    use.running_ms = ran.first.within(from, to) + ran.last.within(from, to);
    (now.suspended ? use.suspended_ms : use.stopped_ms) = passed - use.running_ms;
    use.memory_promised = blocks(now.memory) * passed;
    // One that has ended holds nothing any more.
    use.memory_held = blocks(now.running ? now.memory_held : before.memory_held) * use.running_ms;
    use.disk_promised = blocks(now.disk) * passed;
    use.disk_held = blocks(now.disk_held) * passed;
    if (to >= end) return hours;
    from = to;
  }
}

Result<Month> parse_month(std::string_view text) {
  namespace chrono = std::chrono;
  int year = 0;
  unsigned month = 0;
  constexpr std::size_t kYear = 4;
  const bool shaped = text.size() == 7 && text[kYear] == '-';
  const char* const middle = text.data() + kYear;
  const char* const end = text.data() + text.size();
  if (shaped && std::from_chars(text.data(), middle, year).ptr == middle &&
      std::from_chars(middle + 1, end, month).ptr == end && year >= 1970 && month >= 1 && month <= 12) {
    const auto hours = [](chrono::year_month when) {
      return chrono::duration_cast<chrono::hours>(chrono::sys_days(when / 1).time_since_epoch()).count();
    };
    const chrono::year_month first = chrono::year(year) / chrono::month(month);
    return Month{hours(first), hours(first + chrono::months(1))};
  }
  return Error(Kind::Invalid,
               "month '" + std::string(text) + "': must be a year and a month, such as 2026-11");
}

}  // namespace umlfarm::quota
