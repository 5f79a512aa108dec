// Where a test makes the daemon die: UMLFARM_FAILPOINT names one point, such as "launch:before" or
// "launch:after", and the process kills itself there. Unset, as ever but in tests, it does nothing.
#pragma once

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string_view>

namespace umlfarm {

inline void failpoint(std::string_view effect, std::string_view moment) {
  static const char* const armed = std::getenv("UMLFARM_FAILPOINT");
  if (armed == nullptr) return;
  const std::string_view name(armed);
  if (name.size() == effect.size() + 1 + moment.size() && name.starts_with(effect) &&
      name.ends_with(moment)) {
    (void)::kill(::getpid(), SIGKILL);
  }
}

}  // namespace umlfarm
