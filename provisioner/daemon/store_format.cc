#include "provisioner/daemon/store_format.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <boost/json.hpp>
#include <string>

#include "provisioner/base/ids.h"
#include "quota/limit_fields.h"

namespace umlfarm::daemon {
namespace {

// Since the third format. A limit that is not there is null in a tenant's record.
constexpr const char* kAccounts = R"sql(
  CREATE TABLE sums (
    account TEXT PRIMARY KEY,
    guests INTEGER NOT NULL,
    memory INTEGER NOT NULL,
    disk INTEGER NOT NULL,
    processors INTEGER NOT NULL) STRICT;
  CREATE TABLE tenants (name TEXT PRIMARY KEY, bounds TEXT NOT NULL, each_user TEXT NOT NULL) STRICT;
)sql";

// Since the fourth.
constexpr const char* kTraffic = R"sql(
  CREATE TABLE traffic (
    guest INTEGER PRIMARY KEY REFERENCES guests (number) ON DELETE CASCADE,
    month TEXT NOT NULL,
    month_in INTEGER NOT NULL,
    month_out INTEGER NOT NULL,
    ever_in INTEGER NOT NULL,
    ever_out INTEGER NOT NULL,
    counters TEXT NOT NULL,
    seen_in INTEGER NOT NULL,
    seen_out INTEGER NOT NULL,
    told INTEGER NOT NULL) STRICT;
)sql";

constexpr const char* kTables = R"sql(
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE guests (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    uid INTEGER NOT NULL UNIQUE,
    address INTEGER NOT NULL UNIQUE,
    mac TEXT NOT NULL UNIQUE,
    record TEXT NOT NULL) STRICT;
  CREATE TABLE catalog (
    which TEXT NOT NULL,
    digest TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    size INTEGER NOT NULL,
    added_ms INTEGER NOT NULL,
    loops_per_jiffy INTEGER NOT NULL,
    features TEXT NOT NULL,
    PRIMARY KEY (which, digest)) STRICT;
  CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time_ms INTEGER NOT NULL,
    guest TEXT NOT NULL,
    kind TEXT NOT NULL,
    message TEXT NOT NULL) STRICT;
)sql";

// From the first format. What a kernel can do is known once it is added again.
constexpr const char* kFromFirst = R"sql(
  ALTER TABLE catalog ADD COLUMN features TEXT NOT NULL
    DEFAULT '{"userspace":"ptrace","processors":1,"durable_disks":false,"tap_offload":false}';
  UPDATE guests SET record = json_set(record, '$.identity.limits.processors', 1, '$.identity.kernel_features',
    json('{"userspace":"ptrace","processors":1,"durable_disks":false,"tap_offload":false}'));
)sql";

// From the second: limits are no longer part of what a guest is. One json_set() doesn't see what it has set
// itself.
constexpr const char* kFromSecond = R"sql(
  UPDATE guests SET record = json_remove(
    json_set(
      json_set(record, '$.limits', json_extract(record, '$.identity.limits'), '$.identity.user', ''),
      '$.limits.memory_ceiling', json_extract(record, '$.identity.limits.memory'),
      '$.limits.cpu_weight', 100, '$.limits.cpu_percent', 0),
    '$.identity.limits');
)sql";

// Limits that there were not before are those of a plan that does not name them.
constexpr const char* kNewLimits = R"sql(
  UPDATE guests SET record = json_set(record, '$.limits', json(json_patch(?, json_extract(record, '$.limits'))));
)sql";

// From the fourth: what a kernel can do beyond what was asked of it then is known once it is added again.
constexpr const char* kNewFeatures = R"sql(
  UPDATE catalog SET features = json_set(features, '$.growing_disks', json('false'));
  UPDATE guests SET record = json_set(record, '$.identity.kernel_features.growing_disks', json('false'));
)sql";

// From the fifth: what guests had died of was not kept.
constexpr const char* kCausesOfRestarts = R"sql(
  UPDATE guests SET record = json_set(record, '$.restarts_ever', CASE json_extract(record, '$.restarts_ever')
    WHEN 0 THEN json('{}') ELSE json_object('unknown', json_extract(record, '$.restarts_ever')) END);
)sql";

// Since the seventh. What guests have used outlives them; what was last read of their counters does not.
constexpr const char* kUses = R"sql(
  CREATE TABLE uses (
    hour INTEGER NOT NULL,
    guest INTEGER NOT NULL,
    plan TEXT NOT NULL,
    name TEXT NOT NULL,
    tenant TEXT NOT NULL,
    user TEXT NOT NULL,
    cpu_ns INTEGER NOT NULL,
    memory_promised INTEGER NOT NULL,
    memory_held INTEGER NOT NULL,
    disk_promised INTEGER NOT NULL,
    disk_held INTEGER NOT NULL,
    bytes_in INTEGER NOT NULL,
    bytes_out INTEGER NOT NULL,
    running_ms INTEGER NOT NULL,
    stopped_ms INTEGER NOT NULL,
    suspended_ms INTEGER NOT NULL,
    PRIMARY KEY (hour, guest, plan)) STRICT, WITHOUT ROWID;
  CREATE TABLE use_seen (
    guest INTEGER PRIMARY KEY REFERENCES guests (number) ON DELETE CASCADE,
    wall_ms INTEGER NOT NULL,
    uptime_ms INTEGER NOT NULL,
    boot TEXT NOT NULL,
    cpu_made TEXT NOT NULL,
    cpu_ns INTEGER NOT NULL,
    bytes_in INTEGER NOT NULL,
    bytes_out INTEGER NOT NULL,
    started_ms INTEGER NOT NULL,
    memory_held INTEGER NOT NULL) STRICT;
)sql";

// Since the seventh, too.
constexpr const char* kSuspendedAndAsked = R"sql(
  UPDATE guests SET record = json_set(record, '$.suspended', '');
  ALTER TABLE events ADD COLUMN asked_by TEXT NOT NULL DEFAULT '';
  ALTER TABLE events ADD COLUMN request TEXT NOT NULL DEFAULT '';
)sql";

// Guests from before are counted from now on.
constexpr const char* kUsesBegin = R"sql(
  INSERT INTO use_seen SELECT number, unixepoch('now') * 1000, 0, '', '?', 0,
    coalesce(ever_in, 0), coalesce(ever_out, 0), 0, 0 FROM guests LEFT JOIN traffic ON guest = number;
)sql";

}  // namespace

void bring_to_format(SQLite::Database& database, int version) {
  if (version == 0) {
    database.exec(kTables);
    SQLite::Statement insert(database, "INSERT INTO meta VALUES ('farm_id', ?)");
    insert.bind(1, random_hex(8));
    insert.exec();
  }
  if (version == 1) database.exec(kFromFirst);
  if (version < 3) database.exec(kAccounts);
  if (version == 1 || version == 2) database.exec(kFromSecond);
  if (version != 0) {
    SQLite::Statement complete(database, kNewLimits);
    complete.bind(1, boost::json::serialize(quota::to_json(quota::Limits())));
    complete.exec();
    if (version < 5) database.exec(kNewFeatures);
    if (version < 6) database.exec(kCausesOfRestarts);
  }
  if (version < 4) database.exec(kTraffic);
  database.exec(kUses);
  if (version != 0) database.exec(kUsesBegin);
  database.exec(kSuspendedAndAsked);
  database.exec("PRAGMA user_version = " + std::to_string(kStoreFormat));
}

}  // namespace umlfarm::daemon
