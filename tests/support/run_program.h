// Runs programs for tests, with a limit on their time.
#pragma once

#include <string>
#include <vector>

namespace umlfarm::testing {

struct Ran {
  int code = 0;  // 128 + signal when it was killed, 124 when it took too long
  std::string out;
  std::string err;
};

using Environment = std::vector<std::string>;  // "NAME=VALUE", beside the test's own

// Standard input is empty.
Ran run_program(std::vector<std::string> arguments, const Environment& environment = {});

// A process that outlives this call. Its output goes to the end of `log`.
pid_t start_program(const std::vector<std::string>& arguments, const std::string& log,
                    const Environment& environment = {});

// Its wait status. Every process started above is to be waited for.
int wait_for_end(pid_t pid);

}  // namespace umlfarm::testing
