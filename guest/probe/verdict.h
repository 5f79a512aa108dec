// What a guest that was tried says of the machine. Pure.
#pragma once

#include <string>

namespace umlfarm::guest {

// What the machine says of itself, for finding why a guest does not run.
struct ProbeFacts {
  std::string refused;    // what the jail says where it could not be built; empty: it was
  std::string console;    // all that the guest wrote
  bool in_time = true;    // whether it ended by itself
  bool seccomp = false;   // by which its processes were run; else by ptrace
  int ptrace_scope = 0;   // kernel.yama.ptrace_scope; 0 where there is none
  int memfd_noexec = 0;   // vm.memfd_noexec
  bool filtered = false;  // whether this very process runs under a system call filter of others
};

struct ProbeVerdict {
  std::string reason;  // for programs: "ok", "yama", "outer-seccomp", "memfd", "no-seccomp", "jail",
                       // "wide-registers", "stuck", "unknown"
  std::string words;   // for people, with the way out
};

ProbeVerdict judge(const ProbeFacts& facts);

}  // namespace umlfarm::guest
