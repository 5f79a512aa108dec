// What the program may be and have: resource limits, processor, user, capabilities.
#pragma once

#include <vector>

#include "guest/jail/jail_spec.h"
#include "provisioner/base/result.h"

namespace umlfarm::guest {

Status set_limits(const JailSpec& spec);
Status pin_to(const std::vector<int>& processors);
// For good: bounding set emptied, groups dropped, uid and gid set, no new privileges. Invalid for uid or gid
// 0.
Status become_guest_user(const JailSpec& spec);

}  // namespace umlfarm::guest
