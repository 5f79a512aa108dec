// Looks at the whole farm again and again, and has what it saw ready: nobody who asks for metrics waits for a
// look, or costs one. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "provisioner/daemon/farm.h"

namespace umlfarm::daemon {

class Collector {
 public:
  // Has a thread of its own, from now until it goes.
  Collector(Farm& farm, std::chrono::seconds period);

  // As it was last seen, in Prometheus' text format, which says when; null before the first look is over.
  std::shared_ptr<const std::string> text() const;
  // Why the latest look failed; empty: it did not.
  std::string trouble() const;

 private:
  void look();

  Farm& farm_;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::shared_ptr<const std::string> text_;
  std::string trouble_ = "nothing has been looked at yet";
  std::jthread thread_;  // the last, as it uses all others
};

}  // namespace umlfarm::daemon
