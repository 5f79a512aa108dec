// What guests have used, as the state store keeps it. Within the caller's transaction; throws SQLite's
// exceptions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "quota/use.h"

namespace SQLite {
class Database;
}

namespace umlfarm::daemon {

// Of one guest, in one hour, while it had one plan.
struct UseEntry {
  quota::Hour hour = 0;
  std::int64_t guest = 0;  // its number; names are given again
  std::string plan;
  std::string name;
  std::string tenant;
  std::string user;
  quota::Use use;
};

// What is asked of the past. Of all tenants and guests, where none is named.
struct UseQuery {
  quota::Hour begin = 0;
  quota::Hour end = 0;  // the first that does not belong to it
  std::string tenant;
  std::string guest;
  bool by_hour = false;  // each by itself, not added up
};

// Of one guest, while it had one plan: so much of it that tenants' sums are sums of these, to the byte.
struct UseSum {
  UseEntry of;  // its hour only by_hour; its Use is of what adds up as it is: processor time, traffic, times
  // Bytes times hours, without what is left of the last.
  std::uint64_t memory_promised = 0;
  std::uint64_t memory_held = 0;
  std::uint64_t disk_promised = 0;
  std::uint64_t disk_held = 0;
};

// As many are told at once: a hundred bytes each, and more on their way.
inline constexpr std::size_t kMostUses = 200'000;

using UsesSeen = std::map<std::int64_t, quota::UseSeen>;  // by guest's number

// Of that guest alone, or of all: 0.
UsesSeen read_uses_seen(SQLite::Database& database, std::int64_t guest);
// Of guests that are gone nothing is kept.
void write_uses_seen(SQLite::Database& database, const UsesSeen& seen);
// To what there is of these hours.
void add_uses(SQLite::Database& database, const std::vector<UseEntry>& entries);
// By tenant, guest and hour.
std::vector<UseSum> sum_uses(SQLite::Database& database, const UseQuery& query);
// Of those before it, a day's, so that a clock that is wrong for a while does not take all of them.
void forget_uses_before(SQLite::Database& database, quota::Hour hour);

}  // namespace umlfarm::daemon
