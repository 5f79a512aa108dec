#include "quota/traffic.h"

#include <algorithm>
#include <ctime>

namespace umlfarm::quota {
namespace {

BitRate slower(BitRate a, BitRate b) {
  if (a.bits() == 0 || b.bits() == 0) return std::max(a, b);
  return std::min(a, b);
}

}  // namespace

std::string month_of(std::int64_t wall_clock_ms) {
  const std::time_t seconds = wall_clock_ms / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m", &parts)};
}

Traffic counted(const Traffic& before, const Counted& now, const std::string& month) {
  Traffic after = before;
  // A clock that is wrong for a while opens no new month, and closes none.
  if (after.month < month) {
    after.month = month;
    after.this_month = {};
    after.told = false;
  }
  Carried was = before.seen.made == now.made ? before.seen.carried : Carried{};
  // Its counter was taken away meanwhile.
  if (now.carried.in < was.in || now.carried.out < was.out) was = {};
  for (Carried* const sum : {&after.this_month, &after.ever}) {
    sum->in += now.carried.in - was.in;
    sum->out += now.carried.out - was.out;
  }
  after.seen = now;
  return after;
}

bool used_up(const Traffic& traffic, const Limits& limits) {
  return limits.traffic.bytes() != 0 &&
         traffic.this_month.in + traffic.this_month.out >= limits.traffic.bytes();
}

TapLimits tap_limits(const Limits& limits, const Traffic& traffic) {
  TapLimits tap{limits.rate_in, limits.rate_out, limits.network_burst, limits.packets, false};
  if (!used_up(traffic, limits)) return tap;
  tap.closed = limits.traffic_end == TrafficEnd::Stop;
  if (limits.traffic_end == TrafficEnd::Throttle) {
    tap.rate_in = slower(tap.rate_in, limits.throttled_rate);
    tap.rate_out = slower(tap.rate_out, limits.throttled_rate);
  }
  return tap;
}

}  // namespace umlfarm::quota
