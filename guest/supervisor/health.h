// When a guest is healthy: it said that it is ready, and its kernel answers both from process context
// (version) and from interrupt context (help). Pure: the caller has the clock and asks.
#pragma once

#include <cstdint>
#include <optional>

namespace umlfarm::guest {

class Health {
 public:
  enum class State { Starting, Ready, Unhealthy };

  void on_ready(std::int64_t now);
  // A round of both questions has ended.
  void on_probed(std::int64_t now, bool answered);

  State state() const { return state_; }
  // When the next round is due; empty before the guest said that it is ready, and during a round.
  std::optional<std::int64_t> next() const { return next_; }
  void on_probe_begun() { next_.reset(); }

 private:
  State state_ = State::Starting;
  bool said_ready_ = false;
  std::optional<std::int64_t> next_;
  int failures_ = 0;
};

}  // namespace umlfarm::guest
