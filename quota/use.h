// What a guest has used of what it was promised, hour by hour, for bills. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "quota/limits.h"

namespace umlfarm::quota {

// A point in time by two clocks: by the one hours are named, by the other they are measured.
struct Moment {
  std::int64_t wall_ms = 0;    // since 1970; may be set at any time
  std::int64_t uptime_ms = 0;  // since the host started, its sleep included; never steps
  std::string boot;            // tells this start of the host from others
  friend bool operator==(const Moment&, const Moment&) = default;
};

// From one to the other, whatever has been done to the wall clock; over a restart of the host by that alone,
// and then at most 31 days; never less than nothing.
std::int64_t elapsed_ms(const Moment& from, const Moment& to);

// A guest as it is.
struct UseReading {
  std::string cpu_made;  // tells its counter of processor time from ones made later; empty: there is none
  std::uint64_t cpu_ns = 0;
  Carried traffic;  // ever
  // Bytes.
  std::uint64_t memory = 0;
  std::uint64_t memory_held = 0;
  std::uint64_t disk = 0;  // swap included
  std::uint64_t disk_held = 0;
  bool running = false;
  bool suspended = false;
  // Of its latest start, and its latest end. Wall clock, in milliseconds; 0: never.
  std::int64_t started_ms = 0;
  std::int64_t ended_ms = 0;
};

// What is kept of the last reading.
struct UseSeen {
  Moment at;
  // kUnknownCounter: as it is next is where counting begins.
  std::string cpu_made;
  std::uint64_t cpu_ns = 0;
  Carried traffic;
  std::int64_t started_ms = 0;  // of the start that it ran from; 0: it did not run
  std::uint64_t memory_held = 0;
  friend bool operator==(const UseSeen&, const UseSeen&) = default;
};
inline constexpr const char* kUnknownCounter = "?";
// What was seen before counts where a counter can't have gone back to what is read, and is not readable just
// now.
UseSeen seen(const UseSeen& before, const UseReading& reading, const Moment& at);

inline constexpr std::uint64_t kUseBlock = 512;

struct Use {
  std::uint64_t cpu_ns = 0;
  // Blocks of kUseBlock bytes, begun ones included, times milliseconds: in an hour, 1 PiB makes 7.9e18, which
  // is less than what SQLite's integers hold.
  std::uint64_t memory_promised = 0;
  std::uint64_t memory_held = 0;
  std::uint64_t disk_promised = 0;
  std::uint64_t disk_held = 0;
  Carried traffic;  // bytes
  std::uint64_t running_ms = 0;
  std::uint64_t stopped_ms = 0;
  std::uint64_t suspended_ms = 0;
  friend bool operator==(const Use&, const Use&) = default;
};
// Stops at the largest number.
Use plus(const Use& a, const Use& b);

// Hours since 1970, by UTC.
using Hour = std::int64_t;
inline constexpr std::int64_t kHourMs = 3'600'000;

// What was used between two readings, in the hours that the second one's wall clock says have been: all of
// it, and no more. A guest that ran at either end is taken to have done so for all that is known of its
// starts and ends in between.
std::map<Hour, Use> used_between(const UseSeen& before, const UseReading& now, const Moment& at);

// The first hour of "2026-11", and that after its last. Invalid for what is no month.
struct Month {
  Hour begin = 0;
  Hour end = 0;
};
Result<Month> parse_month(std::string_view text);

}  // namespace umlfarm::quota
