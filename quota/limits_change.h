// From a guest's limits to other ones: what is asked, and what of it a running guest can be given. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "provisioner/base/result.h"
#include "quota/limit_fields.h"

namespace umlfarm::quota {

// What is not named stays.
struct LimitsChange {
  std::optional<Plan> plan;                      // all but swap, which is as large as it is
  std::map<std::string_view, LimitValue> named;  // by the name of its field, and of its kind
};

// Invalid where the outcome is not possible. A guest that is `running` keeps its ceiling, so far as it is not
// named. A disk only grows, to `most_disk` at most: with a plan as far as that goes.
Result<Limits> changed(const Limits& before, const LimitsChange& change, bool running, ByteSize most_disk);

// What of it a running guest gets only by being started again, for people, such as "processes 256 -> 512".
std::vector<std::string> needs_restart(const Limits& before, const Limits& after);

}  // namespace umlfarm::quota
