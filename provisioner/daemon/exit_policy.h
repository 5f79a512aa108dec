// What a guest's end, or a failed step towards its start, means for what is desired. Pure.
#pragma once

#include <array>

#include "provisioner/daemon/effects.h"
#include "provisioner/daemon/guest_record.h"
#include "quota/usage.h"

namespace umlfarm::daemon {

// What a guest can die of, so that it is started again.
inline constexpr const char* kOutOfMemory = "out_of_memory";
inline constexpr std::array kDeaths{"panicked", "crashed", kOutOfMemory};

// A death by the host's hand for want of memory is known by the guest's control group, and called
// "out_of_memory".
ExitNotice with_cause(ExitNotice notice, const quota::Limits& limits, const quota::Usage& usage);

// The record after this end. Taking in the same notice twice changes nothing.
GuestRecord after_exit(GuestRecord record, const ExitNotice& notice, unsigned most_restarts);

// Whether a step that failed so is worth doing again.
bool worth_retrying(Action action, Kind kind);

}  // namespace umlfarm::daemon
