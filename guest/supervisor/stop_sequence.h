// How a guest is brought down, step by step, each by its time. Pure: the caller has the clock and the
// effects.
#pragma once

#include <cstdint>
#include <optional>

namespace umlfarm::guest {

enum class StopStep {
  CtrlAltDel,       // init shuts down
  Sync,             // sysrq s: mconsole's halt doesn't
  RemountReadOnly,  // sysrq u
  Halt,
  Kill,  // the PID namespace
};

class StopSequence {
 public:
  // Starts now, unless it runs: asking again may only bring the deadline nearer. Milliseconds of a clock that
  // never steps. A patience of zero or less begins with Sync.
  void start(std::int64_t now, std::int64_t patience);
  // Kill at once.
  void kill(std::int64_t now);

  bool running() const { return running_; }
  // The step that is due, at most once each.
  std::optional<StopStep> due(std::int64_t now);
  // When to look again; empty when nothing is to come.
  std::optional<std::int64_t> next() const;

 private:
  bool running_ = false;
  bool done_ = false;
  StopStep step_ = StopStep::CtrlAltDel;
  std::int64_t at_ = 0;        // when step_ is due
  std::int64_t deadline_ = 0;  // when Sync is due
};

}  // namespace umlfarm::guest
