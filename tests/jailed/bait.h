// What the test lays out on the host for the hostile program to find.
#pragma once

#include <sys/types.h>

namespace bait {

inline constexpr const char* kSocket = "/tmp/umlfarm-bait.sock";
inline constexpr const char* kAbstract = "umlfarm-bait";
inline constexpr const char* kQueue = "/umlfarm-bait";
inline constexpr key_t kSharedMemory = 0x756d6c66;

}  // namespace bait
