// Starts a supervisor that outlives the daemon.
#pragma once

#include <string>

#include "guest/supervisor/spec.h"
#include "provisioner/base/result.h"
#include "provisioner/base/unique_fd.h"

namespace umlfarm::daemon {

// Passes `tap` (may be empty) on and returns once the guest's kernel has been executed, or with the reason
// why not. Unavailable when a supervisor of this guest runs. spec.tap, lock and launched are set here.
Status launch_supervisor(const std::string& program, guest::SupervisorSpec spec, UniqueFd tap);

// Whether a supervisor holds the guest's run directory, be it only just starting or ending.
bool supervisor_holds(const std::string& run_directory);

}  // namespace umlfarm::daemon
