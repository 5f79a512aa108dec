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
  if (change.memory) after.memory = *change.memory;
  if (change.memory_ceiling) after.memory_ceiling = *change.memory_ceiling;
  if (change.processes) after.processes = *change.processes;
  if (change.processors) after.processors = *change.processors;
  if (change.cpu_weight) after.cpu_weight = *change.cpu_weight;
  if (change.cpu_percent) after.cpu_percent = *change.cpu_percent;
  if (change.memory_ceiling && after.memory > after.memory_ceiling) {
    return Error(Kind::Invalid, "memory of " + after.memory.str() + " is above its ceiling of " +
                                    after.memory_ceiling.str() + "; raise that too");
  }
  after.memory_ceiling = boot_memory(after);
  UMLFARM_TRY(check_limits(after));
  return after;
}

std::vector<std::string> needs_restart(const Limits& before, const Limits& after) {
  std::vector<std::string> needs;
  const auto differ = [&](const char* what, const std::string& was, const std::string& is) {
    if (was != is) needs.push_back(std::string(what) + " " + was + " -> " + is);
  };
  differ("memory ceiling", before.memory_ceiling.str(), after.memory_ceiling.str());
  differ("processes", std::to_string(before.processes), std::to_string(after.processes));
  differ("processors", std::to_string(before.processors), std::to_string(after.processors));
  return needs;
}

}  // namespace umlfarm::quota
