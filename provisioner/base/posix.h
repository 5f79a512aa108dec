// Thin wrappers over system calls: errors become Error with the path in the message, descriptors become
// UniqueFd and are close-on-exec, EINTR is retried.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "provisioner/base/result.h"
#include "provisioner/base/unique_fd.h"

namespace umlfarm::posix {

// open(2) with O_CLOEXEC added.
Result<UniqueFd> open(const std::string& path, int flags, mode_t mode = 0);
Result<UniqueFd> open_at(int directory, const std::string& path, int flags, mode_t mode = 0);

// Reads to the end of the file, refusing more than `limit` bytes.
Result<std::string> read_file(const std::string& path, std::size_t limit = 16U << 20U);
Result<std::string> read_all(int fd, std::size_t limit = 16U << 20U);
Status write_all(int fd, std::string_view data);
// Exactly data.size() bytes at the offset, or an error (a short file is Invalid).
Status pread_all(int fd, std::span<std::uint8_t> data, std::int64_t offset);
Status pwrite_all(int fd, std::span<const std::uint8_t> data, std::int64_t offset);
// Opens an existing file and writes to it in one write(2), as cgroup and sysctl files want.
Status write_existing(const std::string& path, std::string_view data);

Result<struct stat> stat(const std::string& path);
// Bytes that the file takes on its disk; nothing where there is none.
std::uint64_t allocated(const std::string& path);
bool exists(const std::string& path);
// mkdir -p. The mode is that of the directories it makes; one that is there already is left as it is.
Status make_directories(const std::string& path, mode_t mode);
// Removes a tree without following links or crossing into other mounts; a missing path is success.
Status remove_tree(const std::string& path);
// Removes one file; a missing file is success.
Status remove_file(const std::string& path);
// Names in a directory, sorted, without "." and "..".
Result<std::vector<std::string>> list_directory(const std::string& path);
// fsync of a directory, so that a rename or unlink in it is durable.
Status sync_directory(const std::string& path);

}  // namespace umlfarm::posix
