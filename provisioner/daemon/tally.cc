#include "provisioner/daemon/tally.h"

namespace umlfarm::daemon {

Tally::Tally() {
  // Forget and Internal are the last of theirs.
  for (int i = 0; i <= static_cast<int>(Action::Forget); ++i)
    work_[std::string(action_name(static_cast<Action>(i)))];
  for (int i = 0; i <= static_cast<int>(Kind::Internal); ++i)
    errors_[std::string(kind_name(static_cast<Kind>(i)))];
}

void Tally::add_work(Action action, double seconds, bool done) {
  const std::lock_guard lock(mutex_);
  metrics::Work& work = work_[std::string(action_name(action))];
  ++(done ? work.done : work.failed);
  work.seconds += seconds;
}

void Tally::add_error(Kind kind) {
  const std::lock_guard lock(mutex_);
  ++errors_[std::string(kind_name(kind))];
}

std::map<std::string, metrics::Work> Tally::work() const {
  const std::lock_guard lock(mutex_);
  return work_;
}

std::map<std::string, std::uint64_t> Tally::errors() const {
  const std::lock_guard lock(mutex_);
  return errors_;
}

}  // namespace umlfarm::daemon
