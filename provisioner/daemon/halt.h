// Stopping guests for the host's sake, not by anyone's wish.
#pragma once

#include "provisioner/base/result.h"
#include "provisioner/daemon/paths.h"

namespace umlfarm::daemon {

// Stops every guest that a supervisor holds, and waits until all have ended. What is wanted of them stays as
// it is: the daemon starts them again when it comes back. For the host's own shutdown, after the daemon's
// end. Timeout names those that did not end.
Status halt_guests(const Paths& paths);

}  // namespace umlfarm::daemon
