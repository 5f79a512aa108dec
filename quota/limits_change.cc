#include "quota/limits_change.h"

namespace umlfarm::quota {

Result<Limits> changed(const Limits& before, const LimitsChange& change, bool running) {
  Limits after = before;
  if (change.plan) {
    after = change.plan->limits;
    after.disk = before.disk;
    after.swap = before.swap;
    // A plan without a ceiling of its own can be grown within what there is.
    if (running && after.memory <= before.memory_ceiling && after.memory_ceiling.bytes() == 0) {
      after.memory_ceiling = before.memory_ceiling;
    }
  }
  for (const auto& [name, value] : change.named) {
    if (const LimitField* const field = find_limit(name)) set_value(after, *field, value);
  }
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
