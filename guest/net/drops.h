// Packets that guests' taps and what holds them to a rate had no room for. In the namespace of the calling
// thread.
#pragma once

#include <map>
#include <string>

#include "provisioner/base/result.h"
#include "quota/limits.h"

struct nl_sock;

namespace umlfarm::guest {

// By tap, since it was made; of all devices with such names.
Result<std::map<std::string, quota::Carried>> dropped_packets(nl_sock* socket, const std::string& tap_prefix);

}  // namespace umlfarm::guest
