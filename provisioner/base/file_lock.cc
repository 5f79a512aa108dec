#include "provisioner/base/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "provisioner/base/posix.h"

namespace umlfarm {

Result<FileLock> FileLock::acquire(const std::string& path) {
  UMLFARM_ASSIGN(UniqueFd fd, posix::open(path, O_RDWR | O_CREAT, 0600));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return Error(Kind::Conflict, path + " is locked by another process");
    return system_error("lock " + path);
  }
  return FileLock(std::move(fd));
}

}  // namespace umlfarm
