#include "quota/controllers/cpu.h"

#include <algorithm>

#include "provisioner/base/posix.h"

namespace umlfarm::quota::cpu {
namespace {

constexpr std::uint64_t kNsPerUs = 1000;

Status apply_v1(const Group& group, const Limits& limits) {
  const std::string quota = limits.cpu_percent == 0 ? "-1" : std::to_string(quota_us(limits.cpu_percent));
  UMLFARM_TRY(
      posix::write_existing(group.directory + "/cpu.shares", std::to_string(shares_of(limits.cpu_weight))));
  // A kernel may have been built without caps: can_cap() says so.
  const std::string file = group.directory + "/cpu.cfs_quota_us";
  if (!posix::exists(file)) return {};
  UMLFARM_TRY(posix::write_existing(group.directory + "/cpu.cfs_period_us", std::to_string(kPeriodUs)));
  return posix::write_existing(file, quota);
}

}  // namespace

std::uint64_t shares_of(unsigned weight) {
  constexpr std::uint64_t kLeast = 2;  // the kernel's
  return std::max<std::uint64_t>(kLeast, std::uint64_t{weight} * 1024 / 100);
}

std::uint64_t quota_us(unsigned percent) { return kPeriodUs * percent / 100; }

Status apply(const Group& group, const Limits& limits) {
  if (!group.v2) return apply_v1(group, limits);
  const std::string quota = limits.cpu_percent == 0 ? "max" : std::to_string(quota_us(limits.cpu_percent));
  UMLFARM_TRY(posix::write_existing(group.directory + "/cpu.weight", std::to_string(limits.cpu_weight)));
  const std::string file = group.directory + "/cpu.max";
  return posix::exists(file) ? posix::write_existing(file, quota + " " + std::to_string(kPeriodUs))
                             : Status();
}

Status apply_farm(const Group& group) {
  return posix::write_existing(group.file("cpu.shares", "cpu.weight"),
                               std::to_string(group.v2 ? kFarmWeight : shares_of(kFarmWeight)));
}

bool can_cap(const Group& group) { return posix::exists(group.file("cpu.cfs_quota_us", "cpu.max")); }

void read(const Group& group, Usage& usage) {
  const std::string stat = group.directory + "/cpu.stat";
  if (group.v2) {
    usage.cpu_ns = read_count(stat, "usage_usec") * kNsPerUs;
    usage.cpu_held_ns = read_count(stat, "throttled_usec") * kNsPerUs;
  } else {
    usage.cpu_held_ns = read_count(stat, "throttled_time");
  }
}

}  // namespace umlfarm::quota::cpu
