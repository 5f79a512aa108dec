#include "provisioner/daemon/traffic_store.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include "provisioner/daemon/sqlite_values.h"

namespace umlfarm::daemon {

Traffics read_traffic(SQLite::Database& database) {
  Traffics all;
  SQLite::Statement select(database,
                           "SELECT guest, month, month_in, month_out, ever_in, ever_out, counters, "
                           "seen_in, seen_out, told FROM traffic");
  while (select.executeStep()) {
    const auto carried = [&](int index) {
      return quota::Carried{static_cast<std::uint64_t>(select.getColumn(index).getInt64()),
                            static_cast<std::uint64_t>(select.getColumn(index + 1).getInt64())};
    };
    all[select.getColumn(0).getInt64()] = {select.getColumn(1).getString(),
                                           carried(2),
                                           carried(4),
                                           {select.getColumn(6).getString(), carried(7)},
                                           select.getColumn(9).getInt() != 0};
  }
  return all;
}

void write_traffic(SQLite::Database& database, const Traffics& traffic) {
  SQLite::Statement put(database,
                        "INSERT OR REPLACE INTO traffic SELECT ?,?,?,?,?,?,?,?,?,? "
                        "WHERE EXISTS (SELECT 1 FROM guests WHERE number = ?1)");
  for (const auto& [guest, each] : traffic) {
    put.reset();
    put.bind(1, guest);
    put.bind(2, each.month);
    int index = 3;
    for (const quota::Carried& carried : {each.this_month, each.ever}) {
      put.bind(index++, signed_of(carried.in));
      put.bind(index++, signed_of(carried.out));
    }
    put.bind(7, each.seen.made);
    put.bind(8, signed_of(each.seen.carried.in));
    put.bind(9, signed_of(each.seen.carried.out));
    put.bind(10, each.told ? 1 : 0);
    put.exec();
  }
}

}  // namespace umlfarm::daemon
