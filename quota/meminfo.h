// A line of /proc/meminfo, of this host's or as a guest tells its own. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace umlfarm::quota {

// KiB of "MemAvailable:   104156 kB" for "MemAvailable"; none where there is no such line, or no number in
// it.
std::optional<std::uint64_t> meminfo_kib(std::string_view text, std::string_view label);

}  // namespace umlfarm::quota
