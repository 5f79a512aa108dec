// What guests' networks have carried, as the state store keeps it. Within the caller's transaction; throws
// SQLite's exceptions.
#pragma once

#include <cstdint>
#include <map>

#include "quota/traffic.h"

namespace SQLite {
class Database;
}

namespace umlfarm::daemon {

using Traffics = std::map<std::int64_t, quota::Traffic>;  // by guest's number

Traffics read_traffic(SQLite::Database& database);
// In place of what there is of these. Of guests that are gone nothing is kept.
void write_traffic(SQLite::Database& database, const Traffics& traffic);

}  // namespace umlfarm::daemon
