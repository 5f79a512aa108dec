// How busy this host is, by what its kernel says.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "provisioner/base/byte_size.h"

namespace umlfarm::quota {

// A figure that this host does not keep is zero, or not there.
struct HostLoad {
  ByteSize memory_used;                           // all but what the kernel would give to who asks for it
  ByteSize disk_used;                             // of the filesystem that holds the farm's state
  double busy_seconds = 0;                        // of all processors together, since the host started
  std::map<std::string, double> waiting_seconds;  // "cpu", "io", "memory": that something waited for it
};

HostLoad host_load(const std::string& state);

// In the text of /proc/meminfo, /proc/stat and a file of /proc/pressure. Pure.
ByteSize memory_used(std::string_view meminfo);
double busy_seconds(std::string_view stat, long ticks_per_second);
double waiting_seconds(std::string_view pressure);

}  // namespace umlfarm::quota
