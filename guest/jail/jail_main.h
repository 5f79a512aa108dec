// The recipe, run as PID 1 of the jail.
#pragma once

#include "guest/jail/jail.h"

namespace umlfarm::guest {

// Builds the jail around itself, starts the program, reports how it ended, and ends with it: UML must not be
// PID 1 itself, its abort() can't end one.
[[noreturn]] void jail_main(const JailSpec& spec, const JailDescriptors& descriptors, int reports);

}  // namespace umlfarm::guest
