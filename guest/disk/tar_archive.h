// A tar archive in memory, in POSIX's ustar format. Private to this folder.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "provisioner/base/result.h"

namespace umlfarm::guest {

struct TarEntry {
  std::string path;  // relative, ASCII, up to 100 bytes; ends in '/' for a directory
  mode_t mode;
  std::string content;
};

// Owner 0, group 0, time 0, in the order given; the size is a multiple of 512 and depends on nothing else.
Result<std::string> tar_archive(const std::vector<TarEntry>& entries);

}  // namespace umlfarm::guest
