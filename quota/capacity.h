// What a host has for guests: what there is, less a reserve, times what its administrator wants to promise of
// it. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "provisioner/base/byte_size.h"
#include "quota/amounts.h"
#include "quota/host_capacity.h"

namespace umlfarm::quota {

// Kept back for the host itself, and how many percent of the rest may be promised.
struct Overcommit {
  ByteSize memory_reserve = ByteSize::mib(512);
  ByteSize disk_reserve = ByteSize::gib(2);
  unsigned memory_percent = 100;
  unsigned disk_percent = 1000;           // COW disks are thin
  unsigned processors_percent = 100'000;  // most guests sleep most of the time
  std::string libvirt = "qemu:///embed";  // who counts the host; empty: the kernel alone
};

// How the most that may be promised of a resource comes about.
struct Share {
  std::uint64_t has = 0;
  std::uint64_t taken = 0;  // by others on the host, as libvirt knows them
  std::uint64_t reserve = 0;
  unsigned percent = 100;
  std::uint64_t most() const;
};

// Of Memory, Disk or Processors; there is no end of guests.
Share share_of(Resource resource, const HostCapacity& host, const Overcommit& overcommit);
Bounds bounds_of(const HostCapacity& host, const Overcommit& overcommit);

}  // namespace umlfarm::quota
