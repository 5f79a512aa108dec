// What this host has.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "provisioner/base/byte_size.h"
#include "provisioner/base/result.h"
#include "quota/limits.h"

namespace umlfarm::quota {

struct HostCapacity {
  ByteSize memory;
  unsigned processors = 0;
  ByteSize disk;                // of the filesystem that holds the farm's state
  std::vector<ByteSize> cells;  // memory by NUMA cell, where libvirt knows them
  // Virtual machines of others, that libvirt runs here: promised already.
  unsigned domains = 0;
  ByteSize memory_of_domains;
  std::string source = "/proc";  // or libvirt's URI
  std::string notice = {};       // why it is not libvirt, for people
};

// Memory and processors by what the kernel says.
Result<HostCapacity> host_by_proc();
// What umlfarm-libvirt printed of `uri`, over what the kernel says. Invalid for what it can't have printed.
Result<HostCapacity> host_by_libvirt(HostCapacity by_proc, const std::string& uri,
                                     const std::string& printed);

// The host as it was last asked about. Thread-safe.
class HostAccount {
 public:
  struct Settings {
    std::string program;    // umlfarm-libvirt
    std::string uri;        // empty: libvirt is not asked
    std::string directory;  // made for libvirt's embedded driver
    std::string state;      // on the filesystem that is measured
  };
  explicit HostAccount(Settings settings) : settings_(std::move(settings)) {}

  // Asks libvirt, which takes a moment. Where that fails, the kernel is asked, and the notice says why.
  void refresh();
  // Of the last refresh, and the filesystem as it is now. Before the first one, by the kernel.
  Result<HostCapacity> now() const;

 private:
  HostCapacity ask_libvirt(HostCapacity by_proc) const;

  Settings settings_;
  mutable std::mutex mutex_;
  HostCapacity last_;
};

// What to say where guests of the largest plan may lose processes: each page that a guest maps by itself is a
// mapping of the host's, of which a process has vm.max_map_count. Empty: nothing.
std::string mappings_notice(const std::vector<Plan>& plans);
// The same for a given vm.max_map_count. Pure.
std::string mappings_notice(const std::vector<Plan>& plans, std::uint64_t most_mappings);

}  // namespace umlfarm::quota
