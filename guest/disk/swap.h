// Swap disks.
#pragma once

#include <sys/types.h>

#include <string>

#include "provisioner/base/byte_size.h"
#include "provisioner/base/result.h"

namespace umlfarm::guest {

// Makes a sparse file that the guest can swapon without a mkswap: version 1, 4096-byte pages, a random UUID.
// On stable storage when it returns; on failure nothing is left. Conflict when `path` exists; Invalid for a
// size that is not a multiple of 4 KiB, under 40 KiB or over 8 TiB.
Status create_swap(const std::string& path, ByteSize size, mode_t mode, uid_t uid, gid_t gid);

}  // namespace umlfarm::guest
