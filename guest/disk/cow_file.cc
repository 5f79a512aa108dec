#include "guest/disk/cow_file.h"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "guest/disk/staged_file.h"
#include "provisioner/base/clock.h"
#include "provisioner/base/posix.h"

namespace umlfarm::guest {
namespace {

struct OpenFile {
  UniqueFd fd;
  struct stat info;
};

// O_NONBLOCK: a pipe put in the file's place must not hang the caller.
Result<OpenFile> open_regular(const std::string& path, int flags) {
  UMLFARM_ASSIGN(UniqueFd fd, posix::open(path, flags | O_NONBLOCK));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return system_error("stat " + path);
  if (!S_ISREG(info.st_mode)) return Error(Kind::Invalid, path + " is not a regular file");
  return OpenFile{std::move(fd), info};
}

Result<std::vector<std::uint8_t>> read_start(const OpenFile& file, const std::string& path) {
  const auto length = static_cast<std::uint64_t>(file.info.st_size);
  std::vector<std::uint8_t> start(std::min<std::uint64_t>(length, kMostCowHeaderBytes));
  auto read = posix::pread_all(file.fd.get(), start, 0);
  if (!read) return std::move(read).error().context(path);
  return start;
}

Result<std::string> canonical_directory(const std::string& path) {
  const std::string directory = directory_of(path);
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(directory.c_str(), nullptr), std::free);
  if (!real) return system_error("resolve " + directory);
  const std::string resolved(real.get());
  return resolved == "/" ? "" : resolved;
}

}  // namespace

Result<CowFile> open_cow(const std::string& path, int access) {
  UMLFARM_ASSIGN(OpenFile file, open_regular(path, access | O_NOFOLLOW));
  UMLFARM_ASSIGN(const auto start, read_start(file, path));
  auto header = decode_cow_header(start);
  if (!header) return std::move(header).error().context(path);
  const std::uint64_t whole = header->data_offset + header->size;
  if (static_cast<std::uint64_t>(file.info.st_size) < whole) {
    return Error(Kind::Invalid, path + " is cut short: it has " + std::to_string(file.info.st_size) + " of " +
                                    std::to_string(whole) + " bytes; restore it from a backup");
  }
  return CowFile{std::move(file.fd), std::move(*header),
                 static_cast<std::uint64_t>(file.info.st_blocks) * 512};
}

Status lock_cow(int fd, bool exclusive, const std::string& path) {
  struct flock lock {};
  lock.l_type = exclusive ? F_WRLCK : F_RDLCK;
  lock.l_whence = SEEK_SET;
  if (::fcntl(fd, F_OFD_SETLK, &lock) == 0) return {};
  if (errno == EAGAIN || errno == EACCES) {
    return Error(Kind::Conflict, path + " is in use by a running guest; stop it first");
  }
  return system_error("lock " + path);
}

Result<BaseFile> open_base(const std::string& path) {
  UMLFARM_ASSIGN(OpenFile file, open_regular(path, O_RDONLY));
  UMLFARM_ASSIGN(const auto start, read_start(file, path));
  if (has_cow_magic(start)) {
    return Error(Kind::Invalid,
                 path + " is itself a COW file: UML has one level only; merge it to a raw file and use that");
  }
  UMLFARM_ASSIGN(const std::string directory, canonical_directory(path));
  const auto slash = path.rfind('/');
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  return BaseFile{std::move(file.fd), directory + "/" + name, file.info.st_mtim.tv_sec,
                  static_cast<std::uint64_t>(file.info.st_size)};
}

Status check_same_content(const std::string& cow_path, const CowHeader& header, const BaseFile& base) {
  if (header.size < base.size) {
    return Error(Kind::Conflict, cow_path + ": it has " + std::to_string(header.size) +
                                     " bytes, and its base can't have more, but " + base.path + " has " +
                                     std::to_string(base.size) + "; restore the base it was made on");
  }
  if (header.base_mtime != base.mtime) {
    return Error(Kind::Conflict, cow_path + ": its base was modified at " +
                                     format_time(header.base_mtime * 1000) + ", but " + base.path + " at " +
                                     format_time(base.mtime * 1000) +
                                     "; restore the base it was made on, or, if only the time of the same "
                                     "content differs, set it with touch -d @" +
                                     std::to_string(header.base_mtime));
  }
  return {};
}

}  // namespace umlfarm::guest
