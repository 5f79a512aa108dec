// All guests in memory: their records, written through to the store, and what is known of them right now. The
// ledger follows them. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "guest/supervisor/control.h"
#include "provisioner/daemon/asked.h"
#include "provisioner/daemon/state_store.h"
#include "quota/inside.h"
#include "quota/ledger.h"

namespace umlfarm::daemon {

// Learned from supervisors and from the work on the guest; gone with the daemon.
struct Live {
  bool supervised = false;              // a supervisor holds the guest
  guest::SupervisorStatus status;       // when supervised
  bool busy = false;                    // a worker is at it
  std::string trouble;                  // why the last step failed
  std::int64_t fitted_ms = 0;           // the start whose memory has been made what was promised
  unsigned failures = 0;                // failed steps in a row
  bool told_of_room = false;            // an event says that it waits for room on the host's disk
  std::int64_t room_ms = 0;             // when the last one did
  Asked asked;                          // for what it is on its way to
  std::optional<double> busiest;        // processors that its busiest process takes, where it is busy
  std::optional<quota::Inside> inside;  // as it last said of itself
};

struct Guest {
  GuestRecord record;
  Live live;
};

class GuestTable {
 public:
  GuestTable(StateStore& store, quota::Ledger& ledger) : store_(store), ledger_(ledger) {}

  // Also makes the ledger from the guests, and the store's sums where these say otherwise: then says how they
  // differed.
  Result<std::string> load();
  // All of them, where what they are promised fits within these bounds.
  Result<std::vector<GuestRecord>> add(std::vector<GuestRecord> records, const quota::AccountBounds& bounds,
                                       const std::function<void(GuestRecord&)>& finish);
  // Changes a record in the store and here, or neither. NotFound when it is gone. Limits are not changed so.
  Status update(std::int64_t number, const std::function<void(GuestRecord&)>& change);
  // Gives the guest other limits, and `change` as well, where what it takes more fits within these bounds.
  Status resize(std::int64_t number, const quota::AccountBounds& bounds,
                const std::function<void(GuestRecord&)>& change);
  Status forget(std::int64_t number);

  void update_live(std::int64_t number, const std::function<void(Live&)>& change);

  // Marks the guest as worked on; false when someone is at it already, who then will look once more.
  bool begin_work(std::int64_t number);
  // False when it must be looked at once more.
  bool end_work(std::int64_t number);

  std::optional<Guest> find(std::int64_t number) const;
  Result<Guest> find(const std::string& name) const;
  std::vector<Guest> all() const;
  std::vector<GuestRecord> records() const;

 private:
  struct Entry {
    Guest guest;
    bool again = false;
  };

  Status write(const GuestRecord& before, GuestRecord after);

  StateStore& store_;
  quota::Ledger& ledger_;
  // Taken first, by whoever changes the store: nobody who only reads waits for the disk.
  std::mutex writing_;
  mutable std::mutex mutex_;
  std::map<std::int64_t, Entry> guests_;
};

}  // namespace umlfarm::daemon
