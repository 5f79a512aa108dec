#include "hostsetup/sole_run.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "provisioner/base/posix.h"

namespace umlfarm::hostsetup {

Result<SoleRun> SoleRun::begin(const Machine& machine) {
  if (machine.root().empty() && ::geteuid() != 0) {
    return Error(Kind::Denied, "changing this machine needs root: run it with sudo");
  }
  UMLFARM_TRY(posix::make_directories(machine.at("/run"), 0755));
  const std::string path = machine.at("/run/umlfarm-hostsetup.lock");
  for (;;) {
    UMLFARM_ASSIGN(UniqueFd lock, posix::open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) < 0) {
      return Error(Kind::Conflict, "another umlfarm-hostsetup is changing this machine; wait for its end");
    }
    struct stat status {};
    if (::fstat(lock.get(), &status) < 0) return system_error("look at " + path);
    // Else the run before took its file away between our two calls.
    if (status.st_nlink != 0) return SoleRun(std::move(lock), path);
  }
}

SoleRun::~SoleRun() {
  if (lock_) (void)::unlink(path_.c_str());
}

}  // namespace umlfarm::hostsetup
