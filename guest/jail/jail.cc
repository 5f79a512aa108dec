#include "guest/jail/jail.h"

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "guest/jail/jail_main.h"

namespace umlfarm::guest {

Result<Jailed> start_jail(const JailSpec& spec, const JailDescriptors& descriptors) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) < 0)
    return system_error("socketpair");
  UniqueFd ours(pair[0]);
  UniqueFd theirs(pair[1]);
  int pidfd = -1;
  constexpr unsigned long kFlags =
      CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_PIDFD | SIGCHLD;
  const long child = ::syscall(SYS_clone, kFlags, nullptr, &pidfd, nullptr, 0UL);
  if (child < 0) return system_error("clone the jail's init");
  if (child == 0) {
    ours.reset();
    jail_main(spec, descriptors, theirs.get());
  }
  return Jailed{static_cast<pid_t>(child), UniqueFd(pidfd), std::move(ours)};
}

}  // namespace umlfarm::guest
