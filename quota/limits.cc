#include "quota/limits.h"

#include <array>
#include <utility>

namespace umlfarm::quota {
namespace {

constexpr std::array kEnds{std::pair{TrafficEnd::Warn, std::string_view("warn")},
                           std::pair{TrafficEnd::Throttle, std::string_view("throttle")},
                           std::pair{TrafficEnd::Stop, std::string_view("stop")}};

Error outside(std::string_view what, ByteSize asked, ByteSize least, ByteSize most) {
  return {Kind::Invalid, std::string(what) + " of " + asked.str() + " is not possible: give " + least.str() +
                             " to " + most.str()};
}

Status check_network(const Limits& limits) {
  for (const BitRate rate : {limits.rate_in, limits.rate_out, limits.throttled_rate}) {
    // A frame takes more than a second below that.
    if (rate.bits() != 0 && (rate < kLeastRate || rate > kMostRate)) {
      return Error(Kind::Invalid, "a rate of " + rate.str() + " is not possible: give " + kLeastRate.str() +
                                      " to " + kMostRate.str() + ", or 0 for all there is");
    }
  }
  if (limits.throttled_rate.bits() == 0) {
    return Error(Kind::Invalid, "a throttled rate of 0 would be none: give " + kLeastRate.str() + " or more");
  }
  if (limits.network_burst < kLeastBurst || limits.network_burst > kMostBurst) {
    return outside("network burst", limits.network_burst, kLeastBurst, kMostBurst);
  }
  return {};
}

}  // namespace

std::string_view traffic_end_name(TrafficEnd end) {
  for (const auto& [known, name] : kEnds) {
    if (known == end) return name;
  }
  return "";
}

Result<TrafficEnd> parse_traffic_end(std::string_view text) {
  for (const auto& [end, name] : kEnds) {
    if (name == text) return end;
  }
  return Error(Kind::Invalid, "'" + std::string(text) + "' is not warn, throttle or stop");
}

Status check_limits(const Limits& limits) {
  if (limits.memory < kLeastMemory || limits.memory > kMostMemory) {
    return outside("memory", limits.memory, kLeastMemory, kMostMemory);
  }
  if (limits.memory.bytes() % 4096 != 0) {
    return Error(Kind::Invalid, "memory of " + limits.memory.str() + " is not a multiple of 4 KiB");
  }
  if (limits.memory_ceiling > kMostMemory) {
    return outside("memory ceiling", limits.memory_ceiling, limits.memory, kMostMemory);
  }
  if (limits.memory_ceiling.bytes() % 4096 != 0) {
    return Error(Kind::Invalid,
                 "memory ceiling of " + limits.memory_ceiling.str() + " is not a multiple of 4 KiB");
  }
  // Its kernel's list of pages is touched when it boots, and so is some of what it begins with.
  const ByteSize least = kLeastMemory + ByteSize(boot_memory(limits).bytes() / 32);
  if (limits.host_memory.bytes() != 0 && limits.host_memory < least) {
    return Error(Kind::Invalid, "host memory of " + limits.host_memory.str() +
                                    " is too little for a guest of " + boot_memory(limits).str() +
                                    ", which takes up to " + least.str() + " of it to boot");
  }
  for (const ByteSize rate : {limits.read_rate, limits.write_rate}) {
    if (rate.bytes() != 0 && rate < kLeastDiskRate)
      return Error(Kind::Invalid, "a disk rate of " + rate.str() +
                                      " a second is too little to boot with: give " + kLeastDiskRate.str() +
                                      " or more, or 0 for all there is");
  }
  for (const unsigned operations : {limits.read_operations, limits.write_operations}) {
    if (operations != 0 && operations < kLeastDiskOperations)
      return Error(Kind::Invalid, std::to_string(operations) +
                                      " disk operations a second are too few to boot " + "with: give " +
                                      std::to_string(kLeastDiskOperations) +
                                      " or more, or 0 for all there are");
  }
  if (limits.cpu_weight < kLeastCpuWeight || limits.cpu_weight > kMostCpuWeight) {
    return Error(Kind::Invalid, "a cpu weight of " + std::to_string(limits.cpu_weight) +
                                    " is not possible: give " + std::to_string(kLeastCpuWeight) + " to " +
                                    std::to_string(kMostCpuWeight));
  }
  if (limits.disk < ByteSize::mib(1) || limits.disk > kMostDisk) {
    return outside("disk", limits.disk, ByteSize::mib(1), kMostDisk);
  }
  if (limits.disk.bytes() % 512 != 0) {
    return Error(Kind::Invalid, "disk of " + limits.disk.str() + " is not a multiple of 512 bytes");
  }
  if (limits.swap.bytes() != 0 && (limits.swap < kLeastSwap || limits.swap > kMostDisk)) {
    return outside("swap", limits.swap, kLeastSwap, kMostDisk);
  }
  if (limits.swap.bytes() % 4096 != 0) {
    return Error(Kind::Invalid, "swap of " + limits.swap.str() + " is not a multiple of 4 KiB");
  }
  if (limits.processes < kLeastProcesses || limits.processes > kMostProcesses) {
    return Error(Kind::Invalid, std::to_string(limits.processes) + " processes: give " +
                                    std::to_string(kLeastProcesses) + " to " +
                                    std::to_string(kMostProcesses));
  }
  if (limits.cpu_percent > 100 * kMostProcessors) {
    return Error(Kind::Invalid, "a cap of " + std::to_string(limits.cpu_percent) +
                                    " % of a processor: give 1 to " + std::to_string(100 * kMostProcessors) +
                                    ", or 0 for none");
  }
  if (limits.processors < 1 || limits.processors > kMostProcessors) {
    return Error(Kind::Invalid, std::to_string(limits.processors) + " processors: give 1 to " +
                                    std::to_string(kMostProcessors));
  }
  return check_network(limits);
}

}  // namespace umlfarm::quota
