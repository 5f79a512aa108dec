// A guest's traffic, month by month, and what becomes of its network when an allowance is used up. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "quota/limits.h"

namespace umlfarm::quota {

// The kernel's counters of a guest, as they stand.
struct Counted {
  std::string made;  // tells these counters from ones made later, which begin at nothing
  Carried carried;
  friend bool operator==(const Counted&, const Counted&) = default;
};

// As it is kept.
struct Traffic {
  std::string month;  // "2026-11", by UTC; empty: nothing yet
  Carried this_month;
  Carried ever;
  Counted seen;       // when they were last read
  bool told = false;  // that this month's allowance is used up
  friend bool operator==(const Traffic&, const Traffic&) = default;
};

// "2026-11" of a time in milliseconds since 1970.
std::string month_of(std::int64_t wall_clock_ms);

// With what the counters say now. What has passed since they were last read counts for `month`.
Traffic counted(const Traffic& before, const Counted& now, const std::string& month);

// Whether the month's allowance is used up; never without one.
bool used_up(const Traffic& traffic, const Limits& limits);
// What its tap is held to right now.
TapLimits tap_limits(const Limits& limits, const Traffic& traffic);

}  // namespace umlfarm::quota
