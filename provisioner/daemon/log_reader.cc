#include "provisioner/daemon/log_reader.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "provisioner/base/posix.h"

namespace umlfarm::daemon {

Result<std::string> LogReader::everything() {
  std::string text;
  if (auto old = posix::read_file(path_ + ".1")) text = *std::move(old);
  UMLFARM_ASSIGN(const std::string added, more());
  return text + added;
}

Result<std::string> LogReader::rest() {
  if (!file_) return std::string();
  return posix::read_all(file_.get());
}

Result<std::string> LogReader::more() {
  UMLFARM_ASSIGN(std::string text, rest());
  struct stat open {};
  struct stat named {};
  const bool there = ::stat(path_.c_str(), &named) == 0;
  const bool same = file_ && ::fstat(file_.get(), &open) == 0 && there && open.st_ino == named.st_ino;
  if (!there || same) return text;
  // Rotated, or not there before.
  auto fresh = posix::open(path_, O_RDONLY);
  if (!fresh) return text;
  // What the old one got since, until it was rotated away.
  UMLFARM_ASSIGN(const std::string last, rest());
  file_ = *std::move(fresh);
  UMLFARM_ASSIGN(const std::string added, rest());
  return text + last + added;
}

}  // namespace umlfarm::daemon
