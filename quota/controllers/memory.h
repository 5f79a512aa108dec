// The controller "memory": a guest's memory, its kernel process's, and what the host keeps for it.
#pragma once

#include "quota/controllers/group.h"
#include "quota/limits.h"
#include "quota/usage.h"

namespace umlfarm::quota::memory {

// Conflict when the group holds more than it shall and nothing of that can be given up: the kernel would
// kill.
Status apply(const Group& group, const Limits& limits);
void read(const Group& group, Usage& usage);

}  // namespace umlfarm::quota::memory
