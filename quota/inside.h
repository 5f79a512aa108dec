// What a guest says of itself, of its own files below /proc. Pure; it may say what it likes.
#pragma once

#include <cstdint>
#include <string_view>

#include "provisioner/base/byte_size.h"
#include "provisioner/base/result.h"

namespace umlfarm::quota {

struct Inside {
  double load1 = 0;  // processes that run or want to, over a minute
  double load5 = 0;
  double load15 = 0;
  ByteSize memory_total;
  ByteSize memory_available;
  double uptime_seconds = 0;
};

// Of "loadavg", "meminfo" and "uptime". Internal for what no kernel writes.
Result<Inside> read_inside(std::string_view loadavg, std::string_view meminfo, std::string_view uptime);

}  // namespace umlfarm::quota
