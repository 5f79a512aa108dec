#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/json.hpp>
#include <mutex>

#include "provisioner/base/clock.h"
#include "provisioner/base/posix.h"
#include "provisioner/daemon/kernel_needs.h"
#include "provisioner/daemon/sqlite_values.h"
#include "provisioner/daemon/state_store.h"
#include "provisioner/daemon/store_format.h"

namespace umlfarm::daemon {
namespace {

const char* column(Catalog which) { return which == Catalog::Images ? "image" : "kernel"; }

Error translated(const SQLite::Exception& failure) {
  const std::string text = std::string("state store: ") + failure.what();
  switch (failure.getErrorCode()) {
    case SQLITE_CONSTRAINT:
      return Error(Kind::Conflict, text);
    case SQLITE_FULL:
      return Error(Kind::QuotaExceeded, text + "; make room on the disk that holds it");
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return Error(Kind::Denied, text);
    default:
      return Error(Kind::Internal, text);
  }
}

class SqliteStore final : public StateStore {
 public:
  explicit SqliteStore(const std::string& path)
      : path_(path), database_(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE) {}

  Status prepare(const std::string& path) {
    const int version = database_.execAndGet("PRAGMA user_version").getInt();
    if (version > kStoreFormat) {
      return Error(Kind::Invalid, "state " + path + " has format " + std::to_string(version) +
                                      ", this program knows up to " + std::to_string(kStoreFormat) +
                                      ": install the newer umlfarm that wrote it");
    }
    // Only what is ours is written to.
    database_.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;");
    if (version != kStoreFormat) {
      SQLite::Transaction transaction(database_);
      bring_to_format(database_, version);
      if (version == 1 || version == 2) {
        UMLFARM_ASSIGN(const std::vector<GuestRecord> records, read_guests());
        for (const GuestRecord& record : records) add_to_sums(charges_of(record), 1);
      }
      transaction.commit();
    }
    farm_id_ = database_.execAndGet("SELECT value FROM meta WHERE key = 'farm_id'").getString();
    return {};
  }

  std::string farm_id() const override { return farm_id_; }

  Result<std::vector<GuestRecord>> guests() override {
    return guarded<std::vector<GuestRecord>>(
        [&]() -> Result<std::vector<GuestRecord>> { return read_guests(); });
  }

  Result<std::vector<GuestRecord>> add_guests(std::vector<GuestRecord> records,
                                              const std::function<void(GuestRecord&)>& finish) override {
    return guarded<std::vector<GuestRecord>>([&]() -> Result<std::vector<GuestRecord>> {
      SQLite::Transaction transaction(database_);
      const quota::Moment now{wall_clock_ms(), uptime_ms(), boot_id()};
      std::int64_t number = 0;
      // AUTOINCREMENT's own memory of the highest number ever given.
      SQLite::Statement last(database_, "SELECT seq FROM sqlite_sequence WHERE name = 'guests'");
      if (last.executeStep()) number = last.getColumn(0).getInt64();
      SQLite::Statement insert(
          database_, "INSERT INTO guests (number, name, uid, address, mac, record) VALUES (?,?,?,?,?,?)");
      for (GuestRecord& record : records) {
        record.number = ++number;
        finish(record);
        insert.reset();
        insert.bind(1, record.number);
        insert.bind(2, record.name);
        insert.bind(3, record.identity.uid);
        insert.bind(4, record.identity.address);
        insert.bind(5, record.identity.mac);
        insert.bind(6, boost::json::serialize(to_json(record)));
        insert.exec();
        add_to_sums(charges_of(record), 1);
        write_uses_seen(database_, {{record.number, {now, "", 0, {}, 0, 0}}});
      }
      transaction.commit();
      return std::move(records);
    });
  }

  Status update_guest(const GuestRecord& before, const GuestRecord& after) override {
    return guarded<void>([&]() -> Status {
      SQLite::Transaction transaction(database_);
      SQLite::Statement update(database_, "UPDATE guests SET record = ? WHERE number = ?");
      update.bind(1, boost::json::serialize(to_json(after)));
      update.bind(2, after.number);
      update.exec();
      const quota::Sums was = charges_of(before);
      const quota::Sums is = charges_of(after);
      if (was != is) {
        add_to_sums(was, -1);
        add_to_sums(is, 1);
      }
      transaction.commit();
      return {};
    });
  }

  Status remove_guest(const GuestRecord& record) override {
    return guarded<void>([&]() -> Status {
      SQLite::Transaction transaction(database_);
      SQLite::Statement remove(database_, "DELETE FROM guests WHERE number = ?");
      remove.bind(1, record.number);
      if (remove.exec() != 0) add_to_sums(charges_of(record), -1);
      transaction.commit();
      return {};
    });
  }

  Result<quota::Sums> sums() override {
    return guarded<quota::Sums>([&]() -> Result<quota::Sums> {
      using quota::Resource;
      quota::Sums sums;
      SQLite::Statement select(database_, "SELECT account, guests, memory, disk, processors FROM sums");
      while (select.executeStep()) {
        quota::Amounts& amounts = sums[select.getColumn(0).getString()];
        for (const Resource resource : quota::kResources) {
          amounts[resource] =
              static_cast<std::uint64_t>(select.getColumn(1 + static_cast<int>(resource)).getInt64());
        }
      }
      return sums;
    });
  }

  Status set_sums(const quota::Sums& sums) override {
    return guarded<void>([&]() -> Status {
      SQLite::Transaction transaction(database_);
      database_.exec("DELETE FROM sums");
      add_to_sums(sums, 1);
      transaction.commit();
      return {};
    });
  }

  Result<Traffics> traffic() override {
    return guarded<Traffics>([&]() -> Result<Traffics> { return read_traffic(database_); });
  }

  Status put_traffic(const Traffics& traffic) override {
    return guarded<void>([&]() -> Status {
      SQLite::Transaction transaction(database_);
      write_traffic(database_, traffic);
      transaction.commit();
      return {};
    });
  }

  Result<UsesSeen> uses_seen(std::int64_t guest) override {
    return guarded<UsesSeen>([&]() -> Result<UsesSeen> { return read_uses_seen(database_, guest); });
  }

  Status add_uses(const std::vector<UseEntry>& entries, const UsesSeen& seen) override {
    return guarded<void>([&]() -> Status {
      SQLite::Transaction transaction(database_);
      daemon::add_uses(database_, entries);
      write_uses_seen(database_, seen);
      transaction.commit();
      return {};
    });
  }

  Result<std::vector<UseSum>> sum_uses(const UseQuery& query) override {
    try {
      SQLite::Database reader(path_, SQLite::OPEN_READONLY);
      return daemon::sum_uses(reader, query);
    } catch (const SQLite::Exception& failure) {
      return translated(failure);
    }
  }

  Status forget_uses_before(quota::Hour hour) override {
    return guarded<void>([&]() -> Status {
      daemon::forget_uses_before(database_, hour);
      return {};
    });
  }

  Result<std::vector<Tenant>> tenants() override {
    return guarded<std::vector<Tenant>>([&]() -> Result<std::vector<Tenant>> {
      std::vector<Tenant> tenants;
      SQLite::Statement select(database_, "SELECT name, bounds, each_user FROM tenants ORDER BY name");
      while (select.executeStep()) {
        const auto bounds = [&](int index) {
          return bounds_from_json(boost::json::parse(select.getColumn(index).getString()));
        };
        tenants.push_back({select.getColumn(0).getString(), bounds(1), bounds(2)});
      }
      const auto named = [](const Tenant& tenant) { return tenant.name == kDefaultTenant; };
      if (std::none_of(tenants.begin(), tenants.end(), named)) {
        tenants.insert(tenants.begin(), Tenant{kDefaultTenant, {}, {}});
      }
      return tenants;
    });
  }

  Status put_tenant(const Tenant& tenant) override {
    return changed("INSERT OR REPLACE INTO tenants VALUES (?,?,?)", [&](SQLite::Statement& insert) {
      insert.bind(1, tenant.name);
      insert.bind(2, boost::json::serialize(to_json(tenant.bounds)));
      insert.bind(3, boost::json::serialize(to_json(tenant.each_user)));
    });
  }

  Status remove_tenant(const std::string& name) override {
    return changed("DELETE FROM tenants WHERE name = ?",
                   [&](SQLite::Statement& statement) { statement.bind(1, name); });
  }

  Result<std::vector<CatalogEntry>> catalog(Catalog which) override {
    return guarded<std::vector<CatalogEntry>>([&]() -> Result<std::vector<CatalogEntry>> {
      std::vector<CatalogEntry> entries;
      SQLite::Statement select(
          database_,
          "SELECT name, digest, version, size, added_ms, loops_per_jiffy, features FROM catalog "
          "WHERE which = ? ORDER BY added_ms DESC, rowid DESC");
      select.bind(1, column(which));
      while (select.executeStep()) {
        entries.push_back(
            {select.getColumn(0).getString(), select.getColumn(1).getString(),
             select.getColumn(2).getString(), static_cast<std::uint64_t>(select.getColumn(3).getInt64()),
             select.getColumn(4).getInt64(), static_cast<std::uint64_t>(select.getColumn(5).getInt64()),
             features_from_json(boost::json::parse(select.getColumn(6).getString()))});
      }
      return entries;
    });
  }

  Status put(Catalog which, const CatalogEntry& entry) override {
    return changed("INSERT OR REPLACE INTO catalog VALUES (?,?,?,?,?,?,?,?)", [&](SQLite::Statement& insert) {
      insert.bind(1, column(which));
      insert.bind(2, entry.digest);
      insert.bind(3, entry.name);
      insert.bind(4, entry.version);
      insert.bind(5, static_cast<std::int64_t>(entry.size));
      insert.bind(6, entry.added_ms);
      insert.bind(7, static_cast<std::int64_t>(entry.loops_per_jiffy));
      insert.bind(8, boost::json::serialize(to_json(entry.features)));
    });
  }

  Status remove(Catalog which, const std::string& digest) override {
    return changed("DELETE FROM catalog WHERE which = ? AND digest = ?", [&](SQLite::Statement& statement) {
      statement.bind(1, column(which));
      statement.bind(2, digest);
    });
  }

  Status add_event(const Event& event) override {
    return changed(
        "INSERT INTO events (time_ms, guest, kind, message, asked_by, request) VALUES (?,?,?,?,?,?)",
        [&](SQLite::Statement& insert) {
          insert.bind(1, event.time_ms);
          insert.bind(2, event.guest);
          insert.bind(3, event.kind);
          insert.bind(4, event.message);
          insert.bind(5, event.asked.by);
          insert.bind(6, event.asked.request);
        });
  }

  Status forget_events(std::int64_t before_ms, std::int64_t keep) override {
    return changed("DELETE FROM events WHERE time_ms < ? OR id <= (SELECT max(id) FROM events) - ?",
                   [&](SQLite::Statement& remove) {
                     remove.bind(1, before_ms);
                     remove.bind(2, keep);
                   });
  }

  Result<std::vector<Event>> events(const EventQuery& query) override {
    return guarded<std::vector<Event>>([&]() -> Result<std::vector<Event>> {
      std::vector<Event> events;
      SQLite::Statement select(database_,
                               "SELECT id, time_ms, guest, kind, message, asked_by, request FROM events "
                               "WHERE id > ?1 AND (?2 = '' OR guest = ?2) ORDER BY id LIMIT ?3");
      select.bind(1, query.since);
      select.bind(2, query.guest);
      select.bind(3, query.most);
      while (select.executeStep()) {
        const auto text = [&](int index) { return select.getColumn(index).getString(); };
        events.push_back({select.getColumn(0).getInt64(),
                          select.getColumn(1).getInt64(),
                          text(2),
                          text(3),
                          text(4),
                          {text(5), text(6)}});
      }
      return events;
    });
  }

 private:
  Result<std::vector<GuestRecord>> read_guests() {
    std::vector<GuestRecord> records;
    SQLite::Statement select(database_, "SELECT number, record FROM guests ORDER BY number");
    while (select.executeStep()) {
      UMLFARM_ASSIGN(GuestRecord record,
                     record_from_json(select.getColumn(0).getInt64(), select.getColumn(1).getString()));
      records.push_back(std::move(record));
    }
    return records;
  }

  // Within the caller's transaction. `sign` is 1 or -1.
  void add_to_sums(const quota::Sums& charges, int sign) {
    using quota::Resource;
    SQLite::Statement add(database_, R"sql(
      INSERT INTO sums VALUES (?,?,?,?,?) ON CONFLICT (account) DO UPDATE SET
        guests = guests + excluded.guests, memory = memory + excluded.memory,
        disk = disk + excluded.disk, processors = processors + excluded.processors)sql");
    for (const auto& [account, amounts] : charges) {
      add.reset();
      add.bind(1, account);
      for (const Resource resource : quota::kResources) {
        add.bind(2 + static_cast<int>(resource), sign * signed_of(amounts[resource]));
      }
      add.exec();
    }
    database_.exec("DELETE FROM sums WHERE guests = 0 AND memory = 0 AND disk = 0 AND processors = 0");
  }

  template <typename T, typename Body>
  Result<T> guarded(Body body) {
    const std::lock_guard lock(mutex_);
    try {
      return body();
    } catch (const SQLite::Exception& failure) {
      return translated(failure);
    }
  }

  template <typename Bind>
  Status changed(const char* sql, Bind bind) {
    return guarded<void>([&]() -> Status {
      SQLite::Statement statement(database_, sql);
      bind(statement);
      statement.exec();
      return {};
    });
  }

  const std::string path_;
  std::mutex mutex_;
  SQLite::Database database_;
  std::string farm_id_;
};

}  // namespace

Result<std::unique_ptr<StateStore>> open_sqlite_store(const std::string& path) try {
  // It holds password hashes and host keys.
  UMLFARM_ASSIGN(const UniqueFd touched, posix::open(path, O_CREAT | O_RDWR, 0600));
  if (::fchmod(touched.get(), 0600) < 0) return system_error("chmod " + path);
  auto store = std::make_unique<SqliteStore>(path);
  UMLFARM_TRY(store->prepare(path));
  return std::unique_ptr<StateStore>(std::move(store));
} catch (const SQLite::Exception& failure) {
  return translated(failure).context("open " + path);
}

}  // namespace umlfarm::daemon
