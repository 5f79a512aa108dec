// What there is on this host, for comparing before and after.
#pragma once

#include <set>
#include <string>

namespace umlfarm::testing {

using Traces = std::set<std::string>;

// Processes of users from `first_uid` on (`uids` of them) and those with `root` in their command line, mounts
// below `root`, control groups of any farm, network devices of the host's and named network namespaces.
Traces traces(const std::string& root, unsigned first_uid, unsigned uids);

// Every file below the directory, itself excepted. Empty where there is none.
Traces files_below(const std::string& directory);

// The processes alone: "PID COMMAND LINE".
Traces processes_of(unsigned first_uid, unsigned uids);

}  // namespace umlfarm::testing
