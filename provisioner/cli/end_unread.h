// For output that goes on: to end when whoever read it has gone, also while there is nothing to write.
#pragma once

namespace umlfarm::cli {

// From now on the process ends, with a shell's code for SIGPIPE, once standard output is a pipe, a socket or
// a terminal whose other end has gone. A file has none.
void end_when_unread();

}  // namespace umlfarm::cli
