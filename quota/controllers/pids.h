// The controller "pids": host processes and threads, of which each process of the guest is one.
#pragma once

#include "quota/controllers/group.h"
#include "quota/limits.h"
#include "quota/usage.h"

namespace umlfarm::quota::pids {

Status apply(const Group& group, const Limits& limits);
void read(const Group& group, Usage& usage);

}  // namespace umlfarm::quota::pids
