// What this host has.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "provisioner/base/byte_size.h"
#include "provisioner/base/result.h"
#include "quota/limits.h"

namespace umlfarm::quota {

struct HostCapacity {
  ByteSize memory;
  ByteSize disk;  // of the filesystem that holds `state`
};

// What to say where guests of the largest plan may lose processes: each page that a guest maps by itself is a
// mapping of the host's, of which a process has vm.max_map_count. Empty: nothing.
std::string mappings_notice(const std::vector<Plan>& plans);
// The same for a given vm.max_map_count. Pure.
std::string mappings_notice(const std::vector<Plan>& plans, std::uint64_t most_mappings);

Result<HostCapacity> host_capacity(const std::string& state);

}  // namespace umlfarm::quota
