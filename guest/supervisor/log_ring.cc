#include "guest/supervisor/log_ring.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "provisioner/base/posix.h"

namespace umlfarm::guest {
namespace {

constexpr int kFlags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW;

}  // namespace

Result<LogRing> LogRing::open(const std::string& path, std::uint64_t half) {
  UMLFARM_ASSIGN(UniqueFd file, posix::open(path, kFlags, 0600));
  const off_t size = ::lseek(file.get(), 0, SEEK_END);
  return LogRing(path, half, std::move(file), size < 0 ? 0 : static_cast<std::uint64_t>(size));
}

void LogRing::rotate() {
  // Gone already, it was renamed when no new one could be made.
  if (::rename(path_.c_str(), (path_ + ".1").c_str()) < 0 && errno != ENOENT) return;
  if (auto fresh = posix::open(path_, kFlags, 0600)) {
    file_ = *std::move(fresh);
    size_ = 0;
  }
}

void LogRing::write(std::string_view data) {
  if (size_ + data.size() > half_) rotate();
  // Where a new file could not be made, the old one must not grow instead.
  if (size_ + data.size() > half_ && size_ > 0) {
    dropped_ += data.size();
    return;
  }
  const ssize_t written = ::write(file_.get(), data.data(), data.size());
  const std::size_t kept = written < 0 ? 0 : static_cast<std::size_t>(written);
  size_ += kept;
  dropped_ += data.size() - kept;
}

}  // namespace umlfarm::guest
