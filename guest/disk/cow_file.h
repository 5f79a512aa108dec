// Opening a COW file and its base with every check that a hostile file calls for. Private to this folder.
#pragma once

#include <sys/stat.h>

#include <string>

#include "guest/disk/cow_header.h"
#include "provisioner/base/result.h"
#include "provisioner/base/unique_fd.h"

namespace umlfarm::guest {

struct CowFile {
  UniqueFd fd;
  CowHeader header;
  std::uint64_t host_bytes = 0;  // allocated on the host
};

// `access` is O_RDONLY or O_RDWR. Invalid when it is no regular file, its header is not sound or the file is
// shorter than its header says; never follows a link at the end of the path.
Result<CowFile> open_cow(const std::string& path, int access);

// Takes the lock that UML takes on its disks (fcntl, the whole file), for as long as `fd` is open: shared, or
// exclusive for writers. Conflict when a running guest has it.
Status lock_cow(int fd, bool exclusive, const std::string& path);

struct BaseFile {
  UniqueFd fd;
  std::string path;  // absolute, its directory free of links: what belongs into a header
  std::int64_t mtime = 0;
  std::uint64_t size = 0;
};

// Invalid when it is no regular file or itself a COW file.
Result<BaseFile> open_base(const std::string& path);

// Conflict, with the difference and the way out, when modification times differ or the base is larger.
Status check_same_content(const std::string& cow_path, const CowHeader& header, const BaseFile& base);

}  // namespace umlfarm::guest
