// The host processes of guests, found by their uid: each guest has its own.
#pragma once

#include <sys/types.h>

#include <set>
#include <string>
#include <vector>

#include "provisioner/base/result.h"

namespace umlfarm::daemon {

using Users = std::set<uid_t>;

Result<std::vector<pid_t>> processes_of(const Users& users);

// Kills the supervisor that was started with this run directory, if there is one.
Status kill_supervisor_of(const std::string& run_directory);

// Kills until none is left. Timeout when some stay; Invalid for uid 0.
Status kill_processes_of(const Users& users);

// Lets each process of that user write files of up to `bytes`, as far as it was started to be let; none gets
// less than it has. The ones that are started meanwhile are not looked for.
Status allow_files_of(uid_t uid, std::uint64_t bytes);

}  // namespace umlfarm::daemon
