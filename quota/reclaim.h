// Which guest is asked for memory that it only caches, when the host waits for memory. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "provisioner/base/byte_size.h"

namespace umlfarm::quota {

// Of the last ten seconds, the percentage in which something waited for memory; by the text of
// /proc/pressure/memory. None where it says no such thing.
std::optional<double> memory_pressure(std::string_view text);

struct GuestMemoryUse {
  std::string guest;
  std::uint64_t cpu_ns = 0;  // used since its start
  ByteSize held;             // of its memory, by the host
};

class Reclaim {
 public:
  // Under pressure, each few seconds: the guest that holds most of those that have hardly run since the look
  // before, and have not been named for a minute. `now_ms` is monotonic.
  std::optional<std::string> look(const std::vector<GuestMemoryUse>& guests, std::int64_t now_ms);

 private:
  struct Seen {
    std::uint64_t cpu_ns = 0;
    std::int64_t at_ms = 0;
    std::int64_t named_ms = 0;  // 0: never
  };
  std::map<std::string, Seen> seen_;
};

}  // namespace umlfarm::quota
