#include "provisioner/daemon/processors.h"

#include <sched.h>

#include <algorithm>

namespace umlfarm::daemon {

std::vector<int> Processors::available() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> processors;
  if (::sched_getaffinity(0, sizeof set, &set) < 0) return processors;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(static_cast<unsigned>(i), &set)) processors.push_back(i);
  }
  return processors;
}

int Processors::assign(const std::string& guest) {
  const std::lock_guard lock(mutex_);
  if (const auto found = assigned_.find(guest); found != assigned_.end()) return found->second;
  if (processors_.empty()) return -1;
  std::map<int, int> load;
  for (const auto& [name, processor] : assigned_) ++load[processor];
  const int least = *std::min_element(processors_.begin(), processors_.end(),
                                      [&](int a, int b) { return load[a] < load[b]; });
  assigned_[guest] = least;
  return least;
}

void Processors::learn(const std::string& guest, int processor) {
  const std::lock_guard lock(mutex_);
  if (processor >= 0) assigned_[guest] = processor;
}

int Processors::of(const std::string& guest) const {
  const std::lock_guard lock(mutex_);
  const auto found = assigned_.find(guest);
  return found == assigned_.end() ? -1 : found->second;
}

void Processors::release(const std::string& guest) {
  const std::lock_guard lock(mutex_);
  assigned_.erase(guest);
}

}  // namespace umlfarm::daemon
