#include "guest/supervisor/stop_sequence.h"

#include <algorithm>

namespace umlfarm::guest {
namespace {

// Sync may write out a guest's whole dirty memory.
constexpr std::int64_t kForSync = 3000;
constexpr std::int64_t kForRemount = 2000;
constexpr std::int64_t kForHalt = 2000;

}  // namespace

void StopSequence::start(std::int64_t now, std::int64_t patience) {
  const std::int64_t deadline = now + std::max<std::int64_t>(patience, 0);
  if (!running_) {
    running_ = true;
    step_ = patience > 0 ? StopStep::CtrlAltDel : StopStep::Sync;
    at_ = now;
    deadline_ = deadline;
  } else if (deadline < deadline_) {
    deadline_ = deadline;
    if (step_ == StopStep::Sync) at_ = std::min(at_, deadline);
  }
}

void StopSequence::kill(std::int64_t now) {
  if (done_) return;
  running_ = true;
  step_ = StopStep::Kill;
  at_ = now;
}

std::optional<StopStep> StopSequence::due(std::int64_t now) {
  if (!running_ || done_ || now < at_) return {};
  const StopStep step = step_;
  switch (step) {
    case StopStep::CtrlAltDel:
      step_ = StopStep::Sync;
      at_ = deadline_;
      break;
    case StopStep::Sync:
      step_ = StopStep::RemountReadOnly;
      at_ = now + kForSync;
      break;
    case StopStep::RemountReadOnly:
      step_ = StopStep::Halt;
      at_ = now + kForRemount;
      break;
    case StopStep::Halt:
      step_ = StopStep::Kill;
      at_ = now + kForHalt;
      break;
    case StopStep::Kill:
      done_ = true;
      break;
  }
  return step;
}

std::optional<std::int64_t> StopSequence::next() const {
  if (!running_ || done_) return {};
  return at_;
}

}  // namespace umlfarm::guest
