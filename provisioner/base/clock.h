// Time as the farm records it.
#pragma once

#include <cstdint>
#include <string>

namespace umlfarm {

// Milliseconds since 1970 in UTC; what is stored and what the API carries.
std::int64_t wall_clock_ms();
// Milliseconds of a clock that never steps; for deadlines and durations.
std::int64_t monotonic_ms();
// Milliseconds since the host started, its sleep included.
std::int64_t uptime_ms();
// Tells this start of the host from others.
std::string boot_id();
// "2026-11-24T05:08:09Z".
std::string format_time(std::int64_t wall_ms);
// "3d4h", "2h5m", "12m0s", "8s": the two largest units, for tables.
std::string format_duration(std::int64_t ms);

}  // namespace umlfarm
