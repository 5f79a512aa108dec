// What a guest may use. Values only; the guest folder may include this header and nothing else of quota.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "provisioner/base/bit_rate.h"
#include "provisioner/base/byte_size.h"
#include "provisioner/base/result.h"

namespace umlfarm::quota {

// Smallest and largest figures a guest can be given, from what UML boots with (least) and can address (most).
inline constexpr ByteSize kLeastMemory = ByteSize::mib(16);
inline constexpr ByteSize kMostMemory = ByteSize::gib(64);
// What mkswap(8) makes at least; none at all is possible too.
inline constexpr ByteSize kLeastSwap = ByteSize::kib(40);
// UML's COW bitmap offsets are 32 bits wide: a disk of 8 TiB or more would wrap.
inline constexpr ByteSize kMostDisk = ByteSize(ByteSize::gib(8192).bytes() - 512);

// UML's own most (arch/um/Kconfig).
inline constexpr unsigned kMostProcessors = 64;

// A share of the processors against other guests', as cgroup v2 counts it.
inline constexpr unsigned kLeastCpuWeight = 1;
inline constexpr unsigned kMostCpuWeight = 10'000;

inline constexpr ByteSize kLeastDiskRate = ByteSize::kib(64);
inline constexpr unsigned kLeastDiskOperations = 8;

inline constexpr unsigned kLeastProcesses = 16;
inline constexpr unsigned kMostProcesses = 1'000'000;

// Bytes of IP packets, to a guest and from it.
struct Carried {
  std::uint64_t in = 0;
  std::uint64_t out = 0;
  friend bool operator==(const Carried&, const Carried&) = default;
};

// What becomes of a guest's network when its month's traffic is used up: nothing but an event; it becomes
// slow; nothing passes until the month ends.
enum class TrafficEnd { Warn, Throttle, Stop };
// "warn", "throttle" or "stop".
std::string_view traffic_end_name(TrafficEnd end);
Result<TrafficEnd> parse_traffic_end(std::string_view name);

// What the kernel's token bucket takes (a rate of 32 bits by netlink), and what the largest frame needs.
inline constexpr BitRate kLeastRate = BitRate(16'000);
inline constexpr BitRate kMostRate = BitRate::mbit(16'000);
inline constexpr ByteSize kLeastBurst = ByteSize::kib(16);
inline constexpr ByteSize kMostBurst = ByteSize::mib(64);

struct Limits {
  ByteSize memory;           // what the guest can use; its control group is sized from it
  ByteSize disk;             // as large as the guest's disk is; the host holds what of it is written
  ByteSize swap;             // size of the swap device; zero: none
  unsigned processes = 512;  // host processes and threads: one per guest process, and a few more
  unsigned processors = 1;   // the guest's; it runs on as many of the host's
  // mem= of the guest, and what its memory can be set to while it runs. Costs the guest a 64th of it, for the
  // kernel's list of pages. Zero: as `memory`.
  ByteSize memory_ceiling = {};
  unsigned cpu_weight = 100;  // its share where processors are short, against other guests'
  unsigned cpu_percent = 0;   // the most of one processor's time, 250 being two and a half; 0: all there is
  // What the host gives it of its memory, at most: a guest that touches more is ended. Zero: all of it.
  ByteSize host_memory = {};
  // Of the host's disk, a second; zero: all there is.
  ByteSize read_rate = {};
  ByteSize write_rate = {};
  unsigned read_operations = 0;
  unsigned write_operations = 0;
  // Of its network, to it and from it, at its tap, Ethernet headers counted; zero: all there is.
  BitRate rate_in = {};
  BitRate rate_out = {};
  ByteSize network_burst = ByteSize::kib(128);  // passes at once after a rest, each way
  unsigned packets = 0;                         // a second, each way; 0: any number
  ByteSize traffic = {};                        // each calendar month, both ways together; zero: any amount
  TrafficEnd traffic_end = TrafficEnd::Warn;
  BitRate throttled_rate = BitRate::mbit(1);  // each way, where it ends so

  friend bool operator==(const Limits&, const Limits&) = default;
};

// What a guest's tap is held to.
struct TapLimits {
  BitRate rate_in;  // zero: all there is
  BitRate rate_out;
  ByteSize burst;
  unsigned packets = 0;  // 0: any number
  bool closed = false;   // nothing passes
  friend bool operator==(const TapLimits&, const TapLimits&) = default;
};

struct Plan {
  std::string name;
  Limits limits;
  std::string summary;      // one line for people
  std::string kernel = {};  // by name, where a guest names none; empty: "strict"
  // What the kernel must say of itself.
  bool durable_disks = true;
  bool tap_offload = true;
};

// What the guest is booted with.
constexpr ByteSize boot_memory(const Limits& limits) {
  return std::max(limits.memory, limits.memory_ceiling);
}

// What of its memory the host must have.
constexpr ByteSize backed_memory(const Limits& limits) {
  return limits.host_memory.bytes() == 0 ? limits.memory : std::min(limits.memory, limits.host_memory);
}

constexpr bool backs_less(const Plan& a, const Plan& b) {
  return backed_memory(a.limits) < backed_memory(b.limits);
}

// Invalid when a limit lies outside what a guest can be given.
Status check_limits(const Limits& limits);

}  // namespace umlfarm::quota
