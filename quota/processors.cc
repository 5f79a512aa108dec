#include "quota/processors.h"

#include <sched.h>

#include <algorithm>

namespace umlfarm::quota {

std::vector<int> Processors::available() { return of_thread(0); }

void Processors::move(const std::vector<pid_t>& threads, int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(processor), &set);
  for (const pid_t thread : threads) (void)::sched_setaffinity(thread, sizeof set, &set);
}

std::vector<int> Processors::of_thread(pid_t thread) {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> processors;
  if (::sched_getaffinity(thread, sizeof set, &set) < 0) return processors;
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

void Processors::put(const std::string& guest, int processor) {
  const std::lock_guard lock(mutex_);
  assigned_[guest] = {processor};
}

std::map<std::string, std::vector<int>> Processors::all() const {
  const std::lock_guard lock(mutex_);
  return assigned_;
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
