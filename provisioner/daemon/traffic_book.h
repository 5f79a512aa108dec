// What guests have sent and got, kept so that neither a restart of a guest, of the daemon nor of the host
// forgets it. Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "guest/net/firewall.h"
#include "provisioner/daemon/state_store.h"
#include "quota/traffic.h"

namespace umlfarm::daemon {

class TrafficBook {
 public:
  explicit TrafficBook(StateStore& store) : store_(store) {}

  Status load();
  // Adds what the counters say more than when they were last counted. Guests that are not named are
  // forgotten.
  Status count(const guest::Counters& counters, const std::map<std::string, std::int64_t>& guests_by_tap,
               const std::string& month);
  // As it was last counted.
  quota::Traffic of(std::int64_t guest) const;
  // With what the counters say now; nothing is kept.
  quota::Traffic with(const guest::Counters& counters, const std::string& tap, std::int64_t guest,
                      const std::string& month) const;
  // Whether people have been told that this month's allowance is used up.
  Status set_told(std::int64_t guest, bool told);

 private:
  StateStore& store_;
  mutable std::mutex mutex_;
  std::map<std::int64_t, quota::Traffic> guests_;
};

}  // namespace umlfarm::daemon
