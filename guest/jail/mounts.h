// The jail's file tree: an empty read-only tmpfs with the kernel, the guest's files, /run and /dev/shm.
#pragma once

#include "guest/jail/jail.h"

namespace umlfarm::guest {

// Mounts the tree over spec.root. Must run in a mount namespace of its own.
Status build_tree(const JailSpec& spec, const JailDescriptors& descriptors);

// Makes spec.root the root directory, leaves nothing of the old one, and seals it read-only.
Status enter_tree(const JailSpec& spec);

}  // namespace umlfarm::guest
