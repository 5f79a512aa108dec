// What a guest uses right now, and has used at most, as the host counts it. Values only.
#pragma once

#include <cstdint>

#include "provisioner/base/byte_size.h"

namespace umlfarm::quota {

// A figure that this host does not keep is zero.
struct Usage {
  ByteSize memory;       // of its control group
  ByteSize memory_peak;  // since it was started
  ByteSize memory_file;  // of `memory`, what the host holds of the guest's own
  // Of `memory`, files of the host's that can be read again: not lost when the group becomes smaller.
  ByteSize memory_cache;
  std::uint64_t memory_kills = 0;  // processes that the host killed for want of memory
  std::uint64_t processes = 0;     // of the host's, threads included
  std::uint64_t processes_peak = 0;
  std::uint64_t cpu_ns = 0;       // processor time
  std::uint64_t cpu_held_ns = 0;  // time that it was kept waiting by its cap
  ByteSize disk_read;             // since it was started; from the host's disk, not from its memory
  ByteSize disk_written;
  std::uint64_t disk_reads = 0;  // operations of that
  std::uint64_t disk_writes = 0;
};

}  // namespace umlfarm::quota
