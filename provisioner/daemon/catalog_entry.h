// A base image or a guest kernel that the farm holds under its digest.
#pragma once

#include <cstdint>
#include <string>

#include "guest/boot/kernel_features.h"
#include "provisioner/daemon/asked.h"

namespace umlfarm::daemon {

enum class Catalog { Images, Kernels };

struct CatalogEntry {
  std::string name;        // the newest entry of a name is the one that it means
  std::string digest;      // SHA-256 of the file
  std::string version;     // image: its release; kernel: what it says of itself
  std::uint64_t size = 0;  // bytes; of an image: as the guest sees it
  std::int64_t added_ms = 0;
  std::uint64_t loops_per_jiffy = 0;    // kernel: as measured on this host; 0: not yet
  guest::KernelFeatures features = {};  // kernel
};

struct Event {
  std::int64_t id = 0;
  std::int64_t time_ms = 0;
  std::string guest;  // name; empty: the farm
  std::string kind;   // such as "created", "ready", "exited"
  std::string message;
  Asked asked = {};  // for it, or for what it followed from
};

}  // namespace umlfarm::daemon
