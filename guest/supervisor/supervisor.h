// One guest's supervisor: starts the jail, then sits in poll(2) until the guest has ended.
#pragma once

#include "guest/supervisor/spec.h"

namespace umlfarm::guest {

// SIGTERM, as a host sends it to all when it goes down, stops the guest as `stop` does.
//
// Returns the process's exit code: 0 when a guest ran and its end is recorded. Single-threaded, by need of
// start_jail. The outcome of the launch goes to spec.launched, the end to spec.exit_file.
int supervise(SupervisorSpec spec);

}  // namespace umlfarm::guest
