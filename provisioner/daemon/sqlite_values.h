// What is written to SQLite's columns.
#pragma once

#include <algorithm>
#include <cstdint>

namespace umlfarm::daemon {

// Its integers have a sign.
inline std::int64_t signed_of(std::uint64_t amount) {
  return static_cast<std::int64_t>(std::min(amount, static_cast<std::uint64_t>(INT64_MAX)));
}

}  // namespace umlfarm::daemon
