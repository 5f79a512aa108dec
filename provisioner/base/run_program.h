// Runs another program and waits for it.
#pragma once

#include <string>
#include <vector>

#include "provisioner/base/result.h"

namespace umlfarm {

struct Finished {
  int exit_code = 0;  // 128 + signal when it was killed
  std::string output;
};

// Standard output is taken, input and errors are ours. NotFound when there is no such program.
Result<Finished> run_program(const std::vector<std::string>& arguments);

// Becomes the program; returns only when that fails.
Error become_program(const std::vector<std::string>& arguments);

}  // namespace umlfarm
