// A file that is replaced as a whole: readers see the old content or the new, also after a power cut.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "provisioner/base/result.h"

namespace umlfarm {

// Writes to a temporary file beside `path`, syncs it, renames it over `path`, syncs the directory.
// On failure `path` is as before and the temporary file is gone.
Status write_file_atomically(const std::string& path, std::string_view data, mode_t mode);

}  // namespace umlfarm
