#include "quota/processors.h"

#include <sched.h>

#include <algorithm>

namespace umlfarm::quota {

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

std::vector<int> Processors::assign(const std::string& guest, unsigned count) {
  const std::lock_guard lock(mutex_);
  if (const auto found = assigned_.find(guest); found != assigned_.end()) return found->second;
  if (processors_.empty()) return {};
  std::map<int, int> load;
  for (const auto& [name, processors] : assigned_) {
    for (const int processor : processors) ++load[processor];
  }
  std::vector<int> least = processors_;
  std::stable_sort(least.begin(), least.end(), [&](int a, int b) { return load[a] < load[b]; });
  least.resize(std::min<std::size_t>(least.size(), count));
  return assigned_[guest] = least;
}

void Processors::learn(const std::string& guest, const std::vector<int>& processors) {
  const std::lock_guard lock(mutex_);
  if (!processors.empty()) assigned_[guest] = processors;
}

std::vector<int> Processors::of(const std::string& guest) const {
  const std::lock_guard lock(mutex_);
  const auto found = assigned_.find(guest);
  return found == assigned_.end() ? std::vector<int>() : found->second;
}

void Processors::release(const std::string& guest) {
  const std::lock_guard lock(mutex_);
  assigned_.erase(guest);
}

}  // namespace umlfarm::quota
