// The system calls that a guest kernel may make of the host. Everything else is answered with EPERM.
#pragma once

#include "provisioner/base/result.h"

namespace umlfarm::guest {

// Loads the filter for this process and its children, for good. Needs no_new_privs.
//
// Guest processes in ptrace mode never meet it: the kernel looks at PTRACE_SYSEMU before the filter. Those of
// a kernel with `seccomp_userspace` put a filter of theirs above it, whose traps outrank its refusals
// (seccomp(2)); such a kernel traces nobody.
Status load_syscall_filter(bool seccomp_userspace);

}  // namespace umlfarm::guest
