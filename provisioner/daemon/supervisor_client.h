// Talks to a guest's supervisor. Blocking, with time limits.
#pragma once

#include <string>

#include "guest/supervisor/control.h"
#include "provisioner/base/result.h"
#include "provisioner/base/unique_fd.h"

namespace umlfarm::daemon {

// Sends one request and returns its answer's text. Unavailable when no supervisor is there, Timeout after
// `limit_ms`, else the supervisor's own error.
Result<std::string> ask_supervisor(const std::string& socket, const std::string& request, int limit_ms);

Result<guest::SupervisorStatus> supervisor_status(const std::string& socket);

// A connection that a first request has been answered on: "watch" or "attach".
struct SupervisorStream {
  UniqueFd socket;
  std::string first;  // the answer's text
};
Result<SupervisorStream> open_supervisor_stream(const std::string& socket, const std::string& request);

}  // namespace umlfarm::daemon
