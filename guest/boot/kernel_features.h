// What a guest's kernel can do, as the manifest of its build says. Values.
#pragma once

namespace umlfarm::guest {

// As little as any UML kernel can.
struct KernelFeatures {
  // How it runs what is in the guest. By seccomp is faster, and the guest's processes can reach all of the
  // guest's own memory (arch/um/os-Linux/start_up.c says so); the host is protected by the jail in both.
  bool seccomp = false;
  unsigned processors = 1;     // the most that a guest of it can have
  bool durable_disks = false;  // what a guest has synced is on the host's disk
  bool tap_offload = false;    // segments of 64 KiB cross the tap whole
  bool growing_disks = false;  // a COW disk can be larger than its base, and grow while it is in use

  const char* userspace() const { return seccomp ? "seccomp" : "ptrace"; }
};

}  // namespace umlfarm::guest
