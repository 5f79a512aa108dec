// What the daemon has done since it began. Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "metrics/snapshot.h"
#include "provisioner/base/result.h"
#include "provisioner/daemon/reconcile.h"

namespace umlfarm::daemon {

class Tally {
 public:
  Tally();

  void add_work(Action action, double seconds, bool done);
  void add_error(Kind kind);

  // Each of those that there can be, by name.
  std::map<std::string, metrics::Work> work() const;
  std::map<std::string, std::uint64_t> errors() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, metrics::Work> work_;
  std::map<std::string, std::uint64_t> errors_;
};

}  // namespace umlfarm::daemon
