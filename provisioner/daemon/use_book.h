// What guests have used, for bills: counted so that no restart of a guest, of the daemon or of the host loses
// any of it or has it twice. Thread-safe.
#pragma once

#include <mutex>
#include <vector>

#include "provisioner/daemon/guest_record.h"
#include "provisioner/daemon/state_store.h"
#include "quota/use.h"

namespace umlfarm::daemon {

struct GuestReading {
  GuestRecord record;
  quota::UseReading reading;
};

class UseBook {
 public:
  explicit UseBook(StateStore& store) : store_(store) {}

  // Adds what these have used since they were last counted, or made. They are read while nobody else counts:
  // an older reading after a newer one would count twice.
  template <typename Read>
  Status count(Read read) {
    const std::lock_guard lock(mutex_);
    const auto [readings, at] = read();
    return add(readings, at);
  }

 private:
  Status add(const std::vector<GuestReading>& guests, const quota::Moment& at);

  StateStore& store_;
  std::mutex mutex_;
};

}  // namespace umlfarm::daemon
