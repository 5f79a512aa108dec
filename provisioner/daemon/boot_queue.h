// Who may boot now. Booting guests take all the processor they get, and take it from each other at each
// system call: the fewer at once, the sooner all are ready. Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <set>

namespace umlfarm::daemon {

class BootQueue {
 public:
  explicit BootQueue(unsigned places) : places_(places) {}

  // True when the guest has a place among those that boot. Otherwise it waits its turn, once.
  bool enter(std::int64_t number);
  // Its boot is over, or has had its time: its place goes to whose turn it is, who must enter, or leave. A
  // guest that waits keeps its turn: what is over may be an earlier boot of its.
  std::optional<std::int64_t> free_place(std::int64_t number);
  // It will not boot: the same, and it waits no more.
  std::optional<std::int64_t> leave(std::int64_t number);

 private:
  const std::size_t places_;
  std::mutex mutex_;
  std::set<std::int64_t> booting_;
  std::deque<std::int64_t> waiting_;
};

}  // namespace umlfarm::daemon
