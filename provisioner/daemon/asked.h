// Who asked for what is being done. It belongs to the thread that does it, so that what happens deep within a
// request is known to be of it.
#pragma once

#include <sys/types.h>

#include <string>

namespace umlfarm::daemon {

struct Asked {
  std::string by;       // a user of the host's, by name; empty: nobody, it came about by itself
  std::string request;  // tells what was asked from all else
};

// For as long as it lives.
class AskedScope {
 public:
  explicit AskedScope(uid_t peer);
  ~AskedScope();
  AskedScope(const AskedScope&) = delete;
  AskedScope& operator=(const AskedScope&) = delete;
};

// Of this thread.
const Asked& asked_now();

}  // namespace umlfarm::daemon
