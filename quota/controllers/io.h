// The controllers "io" and, in version 1, "blkio": bytes and operations a second of the disk that the farm's
// state lies on. What the host has in its memory takes none of it. In version 1 what is written is held back
// when it is synced; the host's own writing back of the rest is nobody's there.
#pragma once

#include "quota/controllers/group.h"
#include "quota/limits.h"
#include "quota/usage.h"

namespace umlfarm::quota::io {

// Whether any of its limits is of this controller.
bool asked(const Limits& limits);
// Whether the kernel was built with these limits; of a group that is there.
bool can_limit(const Group& group);
// Nothing where the group has no disk, or the kernel has no such limits.
Status apply(const Group& group, const Limits& limits);
void read(const Group& group, Usage& usage);

// "rbps=1048576 wbps=max riops=max wiops=max"
std::string limits_text(const Limits& limits);
// What "254:0" has read and written, in the text of a file of either version.
void find_use(std::string_view text, std::string_view disk, Usage& usage);

}  // namespace umlfarm::quota::io
