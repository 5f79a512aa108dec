// From a guest's limits to other ones: what is asked, and what of it a running guest can be given. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "provisioner/base/result.h"
#include "quota/limits.h"

namespace umlfarm::quota {

// What is not named stays.
struct LimitsChange {
  std::optional<Plan> plan;  // all but disk and swap, which are as large as they are
  std::optional<ByteSize> memory;
  std::optional<ByteSize> memory_ceiling;
  std::optional<unsigned> processes;
  std::optional<unsigned> processors;
  std::optional<unsigned> cpu_weight;
  std::optional<unsigned> cpu_percent;
};

// Invalid where the outcome is not possible. A guest that is `running` keeps its ceiling, so far as it is not
// named.
Result<Limits> changed(const Limits& before, const LimitsChange& change, bool running);

// What of it a running guest gets only by being started again, for people, such as "processes 256 -> 512".
std::vector<std::string> needs_restart(const Limits& before, const Limits& after);

}  // namespace umlfarm::quota
