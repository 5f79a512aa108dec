// What the program does, each a verb. Each returns the program's exit code.
#pragma once

#include <string>
#include <vector>

#include "hostsetup/check.h"
#include "provisioner/base/result.h"

namespace umlfarm::hostsetup {

struct Settings {
  std::string root;                    // of the tree that is looked at; empty: the machine's own
  std::string profile_directory;       // holds vps.toml and others
  std::string profile;                 // its name; empty: as the machine's own file says
  std::vector<std::string> only = {};  // inspect, verify: checks and topics; empty: all
  bool json = false;
  bool purge = false;  // undo: also what guests had
};

Result<int> run_inspect(const Settings& settings);
Result<int> run_plan(const Settings& settings);
Result<int> run_apply(const Settings& settings);
Result<int> run_verify(const Settings& settings);
Result<int> run_undo(const Settings& settings);

}  // namespace umlfarm::hostsetup
