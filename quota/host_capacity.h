// What this host has.
#pragma once

#include <string>

#include "provisioner/base/byte_size.h"
#include "provisioner/base/result.h"

namespace umlfarm::quota {

struct HostCapacity {
  ByteSize memory;
  ByteSize disk;  // of the filesystem that holds `state`
};

Result<HostCapacity> host_capacity(const std::string& state);

}  // namespace umlfarm::quota
