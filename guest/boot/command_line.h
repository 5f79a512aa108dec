// The guest kernel's command line. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "guest/boot/kernel_features.h"
#include "provisioner/base/byte_size.h"
#include "provisioner/base/result.h"

namespace umlfarm::guest {

// ubda to ubdc are the farm's, of 16.
inline constexpr std::size_t kMostExtraDisks = 13;

// What a guest writes to /proc/mconsole once its users can log in.
inline constexpr const char* kReadyText = "umlfarm-ready";

// Paths are as the guest kernel sees them in its jail.
struct BootSpec {
  ByteSize memory;
  std::string disk;                   // COW; /dev/ubda
  std::string base;                   // its backing file
  std::string seed;                   // tar; /dev/ubdb
  std::string swap;                   // raw; /dev/ubdc; empty: none
  std::vector<std::string> extras;    // read-only; /dev/ubdd onwards
  std::string mac;                    // empty: no network device
  std::uint64_t loops_per_jiffy = 0;  // 0: the kernel measures it, which is most of its boot
  unsigned processors = 1;
  KernelFeatures kernel;
  bool trims = true;  // what the guest does without on its disk is given back to the host
};

// Invalid when it would exceed what UML takes: 16 disks, 4095 bytes in all, no spaces in a path.
Result<std::vector<std::string>> kernel_arguments(const BootSpec& spec);

// The loops_per_jiffy that a boot without it printed; 0 where the log has none.
std::uint64_t find_loops_per_jiffy(const std::string& log);

}  // namespace umlfarm::guest
