// Opening files on somebody's behalf.
#pragma once

#include <sys/types.h>

#include <functional>

#include "provisioner/base/result.h"

namespace umlfarm {

// Runs `work` on the calling thread, which meanwhile opens files as that user does: with the user's number
// and groups, and without root's powers over files (credentials(7); the kernel keeps them by thread). Other
// threads notice nothing. As root, or as whom the process runs anyway, it is an ordinary call. Denied when
// the process may not act for others.
Status as_user(uid_t uid, const std::function<Status()>& work);

}  // namespace umlfarm
