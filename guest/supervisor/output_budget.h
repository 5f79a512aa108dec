// How much console output is taken from a guest: a burst, then a steady rate. Who writes more waits at its
// own terminal, and neither the host's disk nor its processors pay for it. Pure: the caller has the clock.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace umlfarm::guest {

class OutputBudget {
 public:
  static constexpr std::int64_t kBurst = std::int64_t{1} << 20U;        // bytes
  static constexpr std::int64_t kPerSecond = std::int64_t{256} << 10U;  // bytes

  // Milliseconds of a clock that never steps.
  explicit OutputBudget(std::int64_t now) : at_(now) {}

  bool allows(std::int64_t now) {
    left_ = std::min(kBurst, left_ + (now - at_) * kPerSecond / 1000);
    at_ = now;
    return left_ > 0;
  }
  void spend(std::size_t bytes) { left_ -= static_cast<std::int64_t>(bytes); }
  // When to look again; empty while it allows more.
  std::optional<std::int64_t> next() const {
    if (left_ > 0) return {};
    return at_ + -left_ * 1000 / kPerSecond + kPause;
  }

 private:
  static constexpr std::int64_t kPause = 50;  // milliseconds, so that a flood wakes nobody for each line

  std::int64_t left_ = kBurst;
  std::int64_t at_;
};

}  // namespace umlfarm::guest
