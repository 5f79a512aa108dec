// What 'umlfarm help' says. Pure.
#pragma once

#include <string>

#include "provisioner/cli/command.h"

namespace umlfarm::cli {

std::string general_help();
std::string help_of(const Command& command);

}  // namespace umlfarm::cli
