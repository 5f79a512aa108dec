// Which disk a file lies on.
#pragma once

#include <string>

namespace umlfarm::quota {

// "254:0": the whole disk below the file or directory, as control groups name it. Empty where there is none
// alone: memory, a network, several disks.
std::string disk_of(const std::string& path);

// The source of the mount that `path` lies on, by the text of a mountinfo(5). Pure. Empty: it has none there.
std::string mount_source(const std::string& mountinfo, const std::string& path);

}  // namespace umlfarm::quota
