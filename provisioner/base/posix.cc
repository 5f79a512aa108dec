#include "provisioner/base/posix.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

namespace umlfarm::posix {
namespace {

template <typename Call>
auto retry(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result == -1 && errno == EINTR);
  return result;
}

using Directory = std::unique_ptr<DIR, int (*)(DIR*)>;

bool is_dot(const char* name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

Status remove_entry(int parent, const char* name, const std::string& shown);

Status remove_contents(UniqueFd directory_fd, const std::string& shown) {
  const int fd = directory_fd.get();
  Directory directory(fdopendir(fd), closedir);
  if (!directory) return system_error("list " + shown);
  (void)directory_fd.release();
  while (const dirent* entry = readdir(directory.get())) {
    if (is_dot(entry->d_name)) continue;
    UMLFARM_TRY(remove_entry(fd, entry->d_name, shown + "/" + entry->d_name));
  }
  return {};
}

// A directory right in `parent`. By its device a mount would not be known: a bind mount of the same file
// system has the same. EXDEV where something is mounted.
UniqueFd open_unmounted(int parent, const char* name) {
  open_how how{};
  how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_NO_XDEV;
  return UniqueFd(static_cast<int>(::syscall(SYS_openat2, parent, name, &how, sizeof how)));
}

Status remove_entry(int parent, const char* name, const std::string& shown) {
  struct stat info {};
  if (fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return {};
    return system_error("stat " + shown);
  }
  if (!S_ISDIR(info.st_mode)) {
    if (unlinkat(parent, name, 0) != 0 && errno != ENOENT) return system_error("remove " + shown);
    return {};
  }
  UniqueFd directory = open_unmounted(parent, name);
  if (!directory && errno == EXDEV) {
    return Error(Kind::Conflict, "remove " + shown + ": something is mounted there; unmount it first");
  }
  if (!directory) return system_error("remove " + shown);
  UMLFARM_TRY(remove_contents(std::move(directory), shown));
  if (unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT) return system_error("remove " + shown);
  return {};
}

}  // namespace

Result<UniqueFd> open(const std::string& path, int flags, mode_t mode) {
  return open_at(AT_FDCWD, path, flags, mode);
}

Result<UniqueFd> open_at(int directory, const std::string& path, int flags, mode_t mode) {
  const int fd = retry([&] { return ::openat(directory, path.c_str(), flags | O_CLOEXEC, mode); });
  if (fd < 0) return system_error("open " + path);
  return UniqueFd(fd);
}

Result<std::string> read_all(int fd, std::size_t limit) {
  std::string data;
  std::array<char, 16384> chunk;
  while (true) {
    const ssize_t got = retry([&] { return ::read(fd, chunk.data(), chunk.size()); });
    if (got < 0) return system_error("read");
    if (got == 0) return data;
    if (data.size() + static_cast<std::size_t>(got) > limit) {
      return Error(Kind::Invalid, "larger than the " + std::to_string(limit) + " bytes allowed");
    }
    data.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  UMLFARM_ASSIGN(const UniqueFd fd, open(path, O_RDONLY));
  auto data = read_all(fd.get(), limit);
  if (!data) return std::move(data).error().context("read " + path);
  return data;
}

Status write_all(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t put = retry([&] { return ::write(fd, data.data(), data.size()); });
    if (put < 0) return system_error("write");
    data.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

Status pread_all(int fd, std::span<std::uint8_t> data, std::int64_t offset) {
  while (!data.empty()) {
    const ssize_t got = retry([&] { return ::pread(fd, data.data(), data.size(), offset); });
    if (got < 0) return system_error("read");
    if (got == 0) return Error(Kind::Invalid, "the file ends at byte " + std::to_string(offset));
    data = data.subspan(static_cast<std::size_t>(got));
    offset += got;
  }
  return {};
}

Status pwrite_all(int fd, std::span<const std::uint8_t> data, std::int64_t offset) {
  while (!data.empty()) {
    const ssize_t put = retry([&] { return ::pwrite(fd, data.data(), data.size(), offset); });
    if (put < 0) return system_error("write");
    data = data.subspan(static_cast<std::size_t>(put));
    offset += put;
  }
  return {};
}

Status write_existing(const std::string& path, std::string_view data) {
  UMLFARM_ASSIGN(const UniqueFd fd, open(path, O_WRONLY));
  const ssize_t put = retry([&] { return ::write(fd.get(), data.data(), data.size()); });
  if (put != static_cast<ssize_t>(data.size())) {
    return system_error("write '" + std::string(data) + "' to " + path);
  }
  return {};
}

Result<struct stat> stat(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return system_error("stat " + path);
  return info;
}

std::uint64_t allocated(const std::string& path) {
  constexpr std::uint64_t kBlock = 512;
  const auto status = stat(path);
  return status ? static_cast<std::uint64_t>(status->st_blocks) * kBlock : 0;
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

Status make_directories(const std::string& path, mode_t mode) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (::mkdir(part.c_str(), mode) != 0 && errno != EEXIST) return system_error("create directory " + part);
    if (slash == std::string::npos) break;
  }
  UMLFARM_ASSIGN(const auto info, stat(path));
  if (!S_ISDIR(info.st_mode)) return Error(Kind::Conflict, path + " exists and is not a directory");
  return {};
}

Status remove_tree(const std::string& path) {
  // On the way to the tree there may be mounts, as /run is one.
  const std::size_t slash = path.rfind('/');
  const std::string above = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  auto parent = open(above, O_PATH | O_DIRECTORY);
  if (!parent && parent.error().kind() == Kind::NotFound) return {};
  if (!parent) return std::move(parent).error().context("remove " + path);
  return remove_entry(parent->get(), path.c_str() + (slash == std::string::npos ? 0 : slash + 1), path);
}

Status remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return system_error("remove " + path);
  return {};
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
  const Directory directory(opendir(path.c_str()), closedir);
  if (!directory) return system_error("list " + path);
  std::vector<std::string> names;
  while (const dirent* entry = readdir(directory.get())) {
    if (!is_dot(entry->d_name)) names.emplace_back(entry->d_name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Status sync_directory(const std::string& path) {
  UMLFARM_ASSIGN(const UniqueFd fd, open(path, O_RDONLY | O_DIRECTORY));
  if (::fsync(fd.get()) != 0) return system_error("sync directory " + path);
  return {};
}

}  // namespace umlfarm::posix
