#include "provisioner/daemon/use_store.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include "provisioner/daemon/sqlite_values.h"

namespace umlfarm::daemon {
namespace {

constexpr const char* kAdd = R"sql(
  INSERT INTO uses VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (hour, guest, plan) DO UPDATE SET
    cpu_ns = cpu_ns + excluded.cpu_ns,
    memory_promised = memory_promised + excluded.memory_promised,
    memory_held = memory_held + excluded.memory_held,
    disk_promised = disk_promised + excluded.disk_promised,
    disk_held = disk_held + excluded.disk_held,
    bytes_in = bytes_in + excluded.bytes_in,
    bytes_out = bytes_out + excluded.bytes_out,
    running_ms = running_ms + excluded.running_ms,
    stopped_ms = stopped_ms + excluded.stopped_ms,
    suspended_ms = suspended_ms + excluded.suspended_ms)sql";

// A month of a large guest is more than an integer holds: each half is added up by itself, and they are put
// together where there is room.
constexpr const char* kSum = R"sql(
  SELECT guest, plan, name, tenant, user, sum(cpu_ns), sum(bytes_in), sum(bytes_out), sum(running_ms), sum(stopped_ms),
    sum(suspended_ms),
    sum(memory_promised >> 32), sum(memory_promised & 4294967295), sum(memory_held >> 32), sum(memory_held & 4294967295),
    sum(disk_promised >> 32), sum(disk_promised & 4294967295), sum(disk_held >> 32), sum(disk_held & 4294967295), min(hour)
  FROM uses WHERE hour >= ?1 AND hour < ?2 AND (?3 = '' OR tenant = ?3) AND (?4 = '' OR name = ?4)
  GROUP BY tenant, name, guest, plan)sql";

std::uint64_t byte_hours(std::uint64_t high, std::uint64_t low) {
  __extension__ using Wide = unsigned __int128;
  const Wide byte_ms = ((Wide{high} << 32U) + low) * quota::kUseBlock;
  return static_cast<std::uint64_t>(byte_ms / quota::kHourMs);
}

}  // namespace

UsesSeen read_uses_seen(SQLite::Database& database, std::int64_t guest) {
  UsesSeen all;
  SQLite::Statement select(
      database,
      std::string(
          "SELECT guest, wall_ms, uptime_ms, boot, cpu_made, cpu_ns, bytes_in, bytes_out, started_ms, "
          "memory_held FROM use_seen") +
          (guest == 0 ? "" : " WHERE guest = ?"));
  if (guest != 0) select.bind(1, guest);
  while (select.executeStep()) {
    const auto number = [&](int index) { return select.getColumn(index).getInt64(); };
    const auto amount = [&](int index) { return static_cast<std::uint64_t>(number(index)); };
    const auto text = [&](int index) { return select.getColumn(index).getString(); };
    all[number(0)] = {{number(1), number(2), text(3)}, text(4),   amount(5),
                      {amount(6), amount(7)},          number(8), amount(9)};
  }
  return all;
}

void write_uses_seen(SQLite::Database& database, const UsesSeen& seen) {
  SQLite::Statement put(database,
                        "INSERT OR REPLACE INTO use_seen SELECT ?,?,?,?,?,?,?,?,?,? "
                        "WHERE EXISTS (SELECT 1 FROM guests WHERE number = ?1)");
  for (const auto& [guest, each] : seen) {
    put.reset();
    put.bind(1, guest);
    put.bind(2, each.at.wall_ms);
    put.bind(3, each.at.uptime_ms);
    put.bind(4, each.at.boot);
    put.bind(5, each.cpu_made);
    put.bind(6, signed_of(each.cpu_ns));
    put.bind(7, signed_of(each.traffic.in));
    put.bind(8, signed_of(each.traffic.out));
    put.bind(9, each.started_ms);
    put.bind(10, signed_of(each.memory_held));
    put.exec();
  }
}

void add_uses(SQLite::Database& database, const std::vector<UseEntry>& entries) {
  SQLite::Statement add(database, kAdd);
  for (const UseEntry& entry : entries) {
    add.reset();
    add.bind(1, entry.hour);
    add.bind(2, entry.guest);
    int index = 3;
    for (const std::string& text : {entry.plan, entry.name, entry.tenant, entry.user})
      add.bind(index++, text);
    const quota::Use& use = entry.use;
    for (const std::uint64_t amount :
         {use.cpu_ns, use.memory_promised, use.memory_held, use.disk_promised, use.disk_held, use.traffic.in,
          use.traffic.out, use.running_ms, use.stopped_ms, use.suspended_ms}) {
      add.bind(index++, signed_of(amount));
    }
    add.exec();
  }
}

std::vector<UseSum> sum_uses(SQLite::Database& database, const UseQuery& query) {
  std::vector<UseSum> sums;
  const std::string order =
      query.by_hour ? ", hour ORDER BY tenant, name, guest, hour" : " ORDER BY tenant, name, guest, plan";
  SQLite::Statement select(database, kSum + order + " LIMIT " + std::to_string(kMostUses + 1));
  select.bind(1, query.begin);
  select.bind(2, query.end);
  select.bind(3, query.tenant);
  select.bind(4, query.guest);
  while (select.executeStep()) {
    const auto amount = [&](int index) {
      return static_cast<std::uint64_t>(select.getColumn(index).getInt64());
    };
    const auto text = [&](int index) { return select.getColumn(index).getString(); };
    UseSum sum;
    sum.of = {select.getColumn(19).getInt64(),
              select.getColumn(0).getInt64(),
              text(1),
              text(2),
              text(3),
              text(4),
              {}};
    sum.of.use.cpu_ns = amount(5);
    sum.of.use.traffic = {amount(6), amount(7)};
    sum.of.use.running_ms = amount(8);
    sum.of.use.stopped_ms = amount(9);
    sum.of.use.suspended_ms = amount(10);
    sum.memory_promised = byte_hours(amount(11), amount(12));
    sum.memory_held = byte_hours(amount(13), amount(14));
    sum.disk_promised = byte_hours(amount(15), amount(16));
    sum.disk_held = byte_hours(amount(17), amount(18));
    sums.push_back(std::move(sum));
  }
  return sums;
}

void forget_uses_before(SQLite::Database& database, quota::Hour hour) {
  SQLite::Statement remove(database,
                           "DELETE FROM uses WHERE hour < ? AND hour < (SELECT min(hour) FROM uses) + 24");
  remove.bind(1, hour);
  remove.exec();
}

}  // namespace umlfarm::daemon
