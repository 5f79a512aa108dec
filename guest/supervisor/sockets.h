// The unix sockets of a supervisor.
#pragma once

#include <string>
#include <string_view>

#include "provisioner/base/result.h"
#include "provisioner/base/unique_fd.h"

namespace umlfarm::guest {

// Binds, replacing a stale socket. `type` is SOCK_SEQPACKET (listening at once) or SOCK_DGRAM. `mode` is the
// file's from its first moment. The path is absolute, or relative to the working directory.
Result<UniqueFd> bind_socket(const std::string& path, int type, mode_t mode);

// Connects to a supervisor. Unavailable when none listens there, Timeout (5 s) when it hangs.
Result<UniqueFd> connect_supervisor(const std::string& path);

}  // namespace umlfarm::guest
