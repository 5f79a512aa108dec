// The tables of the state store, and how those of older programs become them.
#pragma once

namespace SQLite {
class Database;
}

namespace umlfarm::daemon {

// That this program writes, in PRAGMA user_version; 0: there are no tables yet.
inline constexpr int kStoreFormat = 7;

// From an older format, or none, to that; within the caller's transaction. What guests are promised is in no
// sums where there were none before the third. Throws SQLite's exceptions.
void bring_to_format(SQLite::Database& database, int version);

}  // namespace umlfarm::daemon
