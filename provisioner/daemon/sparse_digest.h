// The digest of a large sparse file: SHA-256 over the SHA-256 of each of its mebibytes, so that its holes
// cost next to nothing.
#pragma once

#include <string>

#include "provisioner/base/result.h"

namespace umlfarm::daemon {

// Lower-case hexadecimal. With `to` (an empty file, or -1 for none) copies what it reads there, so that the
// digest is that of the copy; holes stay holes, and blocks are shared where the filesystem can.
Result<std::string> digest_sparse(int from, int to);

}  // namespace umlfarm::daemon
