// What a supervisor is started with, as the daemon writes it and as the supervisor reads it.
#pragma once

#include <string>
#include <vector>

#include "guest/jail/jail_spec.h"
#include "provisioner/base/result.h"

namespace umlfarm::guest {

struct SupervisorSpec {
  JailSpec jail;
  std::string run_directory;  // holds supervisor.sock; on the host, root's alone
  std::string log_file;       // the console's log; rotated to log_file.1
  std::string exit_file;      // written once, when the guest has ended
  std::string ready_text;     // what the guest writes to /proc/mconsole when it is ready
  int tap = -1;               // inherited descriptor of the guest's tap; -1: no network
  int lock = -1;              // inherited, and locked: held as long as the guest lives
  int launched = -1;          // inherited pipe: one line, "ok" or why it could not start, then closed
};

// Options after the program's name. Inverse of parse_arguments.
std::vector<std::string> to_arguments(const SupervisorSpec& spec);
Result<SupervisorSpec> parse_arguments(const std::vector<std::string>& arguments);

}  // namespace umlfarm::guest
