// What a guest kernel needs in its jail beside itself.
#pragma once

#include <string>
#include <vector>

#include "guest/jail/jail_spec.h"
#include "provisioner/base/result.h"

namespace umlfarm::guest {

// Of a static kernel, as this tree builds them, nothing. Of a dynamic one, as Debian's user-mode-linux is:
// the loader, libc, and libgcc_s, which libc opens when threads end. Invalid for what is no
// program for x86-64.
Result<std::vector<JailFile>> kernel_libraries(const std::string& kernel);

}  // namespace umlfarm::guest
