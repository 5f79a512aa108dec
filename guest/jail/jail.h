// The jail around one guest kernel: a PID namespace whose init reaps and reports, and the program in it.
//
// Must be called from a single-threaded process that has root's capabilities. The jail dies with its parent
// (PR_SET_PDEATHSIG), and everything in it dies with the jail's init.
#pragma once

#include <sys/types.h>

#include "guest/jail/jail_spec.h"
#include "provisioner/base/result.h"
#include "provisioner/base/unique_fd.h"

namespace umlfarm::guest {

// Descriptors that the jail takes over; borrowed, the caller closes its own.
struct JailDescriptors {
  int console = -1;       // becomes the program's descriptors 0, 1 and 2
  int tap = -1;           // becomes descriptor 3; -1: none
  int run_mount = -1;     // detached tmpfs, mounted at /run
  int memory_mount = -1;  // detached tmpfs, mounted at /dev/shm
};

inline constexpr int kTapDescriptor = 3;

struct Jailed {
  pid_t init = -1;   // in the caller's PID namespace; the caller reaps it
  UniqueFd pidfd;    // of init: readable when the whole namespace is gone
  UniqueFd reports;  // seqpacket of JailReport; end of file when init is gone
};

struct JailReport {
  enum class What : char { Failed = 'F', Started = 'S', Exited = 'X' };
  What what = What::Failed;
  int wait_status = 0;  // Exited: as wait(2) gives it
  std::string why;      // Failed: the stage and its reason
};

// A tmpfs that is mounted nowhere yet; the descriptor also serves to look into it from outside later.
// `executable`: UML maps its memory executable, and refuses to start where it can't.
Result<UniqueFd> make_tmpfs(std::uint64_t size, unsigned inodes, uid_t uid, gid_t gid, bool executable);

Result<Jailed> start_jail(const JailSpec& spec, const JailDescriptors& descriptors);

// Reads one report; Unavailable at end of file.
Result<JailReport> read_report(int reports);

}  // namespace umlfarm::guest
