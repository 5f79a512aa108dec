// The system calls that a guest kernel may make of the host. Everything else is answered with EPERM.
#pragma once

#include "provisioner/base/result.h"

namespace umlfarm::guest {

// Loads the filter for this process and its children, for good. Needs no_new_privs.
//
// Guest processes in ptrace mode never meet it: the kernel looks at PTRACE_SYSEMU before the filter.
Status load_syscall_filter();

}  // namespace umlfarm::guest
