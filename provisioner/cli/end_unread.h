// For output that goes on: to end when whoever read it has gone, also while there is nothing to write.
#pragma once

namespace umlfarm::cli {

// From now on the process ends as by SIGPIPE once standard output is a pipe or a terminal that nobody reads.
// What else it may be, a file say, is never left.
void end_when_unread();

}  // namespace umlfarm::cli
