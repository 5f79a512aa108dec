#include "guest/disk/staged_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "provisioner/base/posix.h"

namespace umlfarm::guest {
namespace {

Error already_there(const std::string& path) {
  return {Kind::Conflict, path + " exists already and is not overwritten; remove it or give another path"};
}

}  // namespace

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

Result<StagedFile> StagedFile::create(const std::string& path, mode_t mode) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0) return already_there(path);
  auto fd = posix::open(directory_of(path), O_TMPFILE | O_RDWR, 0600);
  if (!fd) return std::move(fd).error().context("create " + path);
  if (::fchmod(fd->get(), mode) != 0) return system_error("set mode of " + path);
  return StagedFile(path, std::move(*fd));
}

Status StagedFile::publish() {
  if (::fsync(fd_.get()) != 0) return system_error("sync " + path_);
  const std::string unnamed = "/proc/self/fd/" + std::to_string(fd_.get());
  if (::linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, path_.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    if (errno == EEXIST) return already_there(path_);
    return system_error("name the new file " + path_);
  }
  auto synced = posix::sync_directory(directory_of(path_));
  if (!synced) (void)posix::remove_file(path_);
  return synced;
}

}  // namespace umlfarm::guest
