// The whole farm as metrics see it: by what the host knows of guests, none of whom is asked.
#pragma once

#include "metrics/snapshot.h"
#include "provisioner/base/result.h"
#include "provisioner/daemon/farm.h"

namespace umlfarm::daemon {

// May take a while, and keeps nobody else waiting.
Result<metrics::Snapshot> take_snapshot(Farm& farm);

}  // namespace umlfarm::daemon
