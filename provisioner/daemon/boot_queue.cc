#include "provisioner/daemon/boot_queue.h"

#include <algorithm>

namespace umlfarm::daemon {

bool BootQueue::enter(std::int64_t number) {
  const std::lock_guard lock(mutex_);
  if (booting_.contains(number)) return true;
  if (booting_.size() < places_) {
    std::erase(waiting_, number);
    booting_.insert(number);
    return true;
  }
  if (std::find(waiting_.begin(), waiting_.end(), number) == waiting_.end()) waiting_.push_back(number);
  return false;
}

std::optional<std::int64_t> BootQueue::free_place(std::int64_t number) {
  const std::lock_guard lock(mutex_);
  if (booting_.erase(number) == 0 || waiting_.empty()) return {};
  // Its place is kept for it: nobody may slip in before.
  const std::int64_t next = waiting_.front();
  waiting_.pop_front();
  booting_.insert(next);
  return next;
}

std::optional<std::int64_t> BootQueue::leave(std::int64_t number) {
  {
    const std::lock_guard lock(mutex_);
    std::erase(waiting_, number);
  }
  return free_place(number);
}

}  // namespace umlfarm::daemon
