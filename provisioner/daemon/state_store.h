// What survives: guests, tenants, the catalogs, events. Every call is one durable transaction: when it
// returns without an error, a power cut doesn't undo it.
//
// Thread-safe. Errors: Conflict where a name, uid, address or MAC is taken, QuotaExceeded for a full disk,
// Internal else.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "provisioner/base/result.h"
#include "provisioner/daemon/catalog_entry.h"
#include "provisioner/daemon/guest_record.h"
#include "provisioner/daemon/tenant.h"
#include "provisioner/daemon/traffic_store.h"
#include "provisioner/daemon/use_store.h"
#include "quota/traffic.h"

namespace umlfarm::daemon {

struct EventQuery {
  std::int64_t since = 0;  // those after this one
  std::string guest;       // empty: of all
  unsigned most = 0;
};

class StateStore {
 public:
  virtual ~StateStore() = default;

  // Random, given once: what tells this farm from another on the same network.
  virtual std::string farm_id() const = 0;

  virtual Result<std::vector<GuestRecord>> guests() = 0;
  // All of them or none; numbers are given here, in order. `finish` completes each record from its number
  // before it is written. What they use is counted from then on.
  virtual Result<std::vector<GuestRecord>> add_guests(std::vector<GuestRecord> records,
                                                      const std::function<void(GuestRecord&)>& finish) = 0;
  // In place of `before`, the record as it was.
  virtual Status update_guest(const GuestRecord& before, const GuestRecord& after) = 0;
  virtual Status remove_guest(const GuestRecord& record) = 0;

  // What is promised, as every change of a guest has kept it, in the same transaction.
  virtual Result<quota::Sums> sums() = 0;
  virtual Status set_sums(const quota::Sums& sums) = 0;

  // By guests' numbers. They go with their guests.
  virtual Result<Traffics> traffic() = 0;
  // In place of what there is of these guests, all of them or none. Of one that is gone nothing is kept.
  virtual Status put_traffic(const Traffics& traffic) = 0;

  // What was last read of guests' counters, of one by its number or of all: 0. They go with their guests.
  virtual Result<UsesSeen> uses_seen(std::int64_t guest) = 0;
  // Adds to what guests have used, and keeps what was read of their counters: both or neither.
  virtual Status add_uses(const std::vector<UseEntry>& entries, const UsesSeen& seen) = 0;
  // Also of guests that are gone. Nobody else waits for it.
  virtual Result<std::vector<UseSum>> sum_uses(const UseQuery& query) = 0;
  // The oldest day of those before it.
  virtual Status forget_uses_before(quota::Hour hour) = 0;

  // By name. The default tenant is always among them.
  virtual Result<std::vector<Tenant>> tenants() = 0;
  virtual Status put_tenant(const Tenant& tenant) = 0;
  virtual Status remove_tenant(const std::string& name) = 0;

  virtual Result<std::vector<CatalogEntry>> catalog(Catalog which) = 0;
  virtual Status put(Catalog which, const CatalogEntry& entry) = 0;
  virtual Status remove(Catalog which, const std::string& digest) = 0;

  virtual Status add_event(const Event& event) = 0;
  // Those of before that time, and all but the newest so many.
  virtual Status forget_events(std::int64_t before_ms, std::int64_t keep) = 0;
  // Oldest first.
  virtual Result<std::vector<Event>> events(const EventQuery& query) = 0;
};

// Opens or creates the database. Invalid when it was written by a newer version.
Result<std::unique_ptr<StateStore>> open_sqlite_store(const std::string& path);

}  // namespace umlfarm::daemon
