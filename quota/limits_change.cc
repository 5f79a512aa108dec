#include "quota/limits_change.h"

#include <algorithm>

namespace umlfarm::quota {
namespace {

Status check_disk(ByteSize before, ByteSize after, ByteSize most) {
  if (after < before) {
    return Error(Kind::Invalid, "a disk of " + before.str() + " can't become one of " + after.str() +
                                    ": a disk only grows; make a guest with a smaller one, and copy to it");
  }
  if (after <= std::max(before, most)) return {};
  return Error(Kind::Invalid,
               "a disk of " + after.str() + " is more than this guest can have, " + most.str() +
                   ": that follows from the size it was made with, and from its kernel; make another guest");
}

}  // namespace

Result<Limits> changed(const Limits& before, const LimitsChange& change, bool running, ByteSize most_disk) {
  Limits after = before;
  if (change.plan) {
    after = change.plan->limits;
    after.disk = std::max(before.disk, std::min(after.disk, most_disk));
    after.swap = before.swap;
    // A plan without a ceiling of its own can be grown within what there is.
    if (running && after.memory <= before.memory_ceiling && after.memory_ceiling.bytes() == 0) {
      after.memory_ceiling = before.memory_ceiling;
    }
  }
  for (const auto& [name, value] : change.named) {
    if (const LimitField* const field = find_limit(name)) set_value(after, *field, value);
  }
  UMLFARM_TRY(check_disk(before.disk, after.disk, most_disk));
  if (change.named.contains("memory_ceiling") && after.memory > after.memory_ceiling) {
    return Error(Kind::Invalid, "memory of " + after.memory.str() + " is above its ceiling of " +
                                    after.memory_ceiling.str() + "; raise that too");
  }
  after.memory_ceiling = boot_memory(after);
  UMLFARM_TRY(check_limits(after));
  return after;
}

std::vector<std::string> needs_restart(const Limits& before, const Limits& after) {
  std::vector<std::string> needs;
  for (const LimitField& field : limit_fields()) {
    const LimitValue was = value_of(before, field);
    const LimitValue is = value_of(after, field);
    if (field.change == Change::Restart && was != is) {
      needs.push_back(label_of(field) + " " + text_of(field, was) + " -> " + text_of(field, is));
    }
  }
  return needs;
}

}  // namespace umlfarm::quota
