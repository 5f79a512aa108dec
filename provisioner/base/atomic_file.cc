#include "provisioner/base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdio>

#include "provisioner/base/posix.h"

namespace umlfarm {
namespace {

Status write_and_sync(const std::string& path, std::string_view data, mode_t mode) {
  UMLFARM_ASSIGN(const UniqueFd fd, posix::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode));
  if (::fchmod(fd.get(), mode) != 0) return system_error("set mode of " + path);
  auto written = posix::write_all(fd.get(), data);
  if (!written) return std::move(written).error().context(path);
  if (::fsync(fd.get()) != 0) return system_error("sync " + path);
  return {};
}

}  // namespace

Status write_file_atomically(const std::string& path, std::string_view data, mode_t mode) {
  const std::string temporary = path + ".new";
  if (auto written = write_and_sync(temporary, data, mode); !written) {
    (void)posix::remove_file(temporary);
    return written;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    Error error = system_error("rename " + temporary + " to " + path);
    (void)posix::remove_file(temporary);
    return error;
  }
  const auto slash = path.rfind('/');
  return posix::sync_directory(slash == std::string::npos ? "." : path.substr(0, slash + 1));
}

}  // namespace umlfarm
