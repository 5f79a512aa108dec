#include "quota/capacity.h"

namespace umlfarm::quota {

std::uint64_t Share::most() const {
  const std::uint64_t kept = taken + reserve;
  const std::uint64_t left = has > kept ? has - kept : 0;
  std::uint64_t hundredths = 0;
  if (__builtin_mul_overflow(left / 100, percent, &hundredths)) return kUnlimited;
  return hundredths + left % 100 * percent / 100;
}

Share share_of(Resource resource, const HostCapacity& host, const Overcommit& overcommit) {
  switch (resource) {
    case Resource::Memory:
      return {host.memory.bytes(), host.memory_of_domains.bytes(), overcommit.memory_reserve.bytes(),
              overcommit.memory_percent};
    case Resource::Disk:
      return {host.disk.bytes(), 0, overcommit.disk_reserve.bytes(), overcommit.disk_percent};
    case Resource::Processors:
      return {host.processors, 0, 0, overcommit.processors_percent};
    case Resource::Guests:
      break;
  }
  return {kUnlimited, 0, 0, 100};
}

Bounds bounds_of(const HostCapacity& host, const Overcommit& overcommit) {
  Bounds bounds;
  for (const Resource resource : {Resource::Memory, Resource::Disk, Resource::Processors}) {
    bounds[resource] = share_of(resource, host, overcommit).most();
  }
  return bounds;
}

}  // namespace umlfarm::quota
