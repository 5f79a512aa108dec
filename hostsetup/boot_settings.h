// What the machine sets when it starts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hostsetup/check.h"

namespace umlfarm::hostsetup {

inline constexpr const char* kSysctlFile = "/etc/sysctl.d/99-umlfarm.conf";
inline constexpr const char* kTmpfilesFile = "/etc/tmpfiles.d/umlfarm.conf";

// What a file sets a setting to when the machine starts.
struct BootValue {
  std::string value;
  std::string where;         // "/etc/sysctl.d/99-zz.conf:3"
  bool behind_ours = false;  // so that ours cannot help
};
// The last one that counts (sysctl.d(5)), of all files or of those that are not ours; nothing where none sets
// it.
std::optional<BootValue> value_at_boot(const Machine& machine, const std::string& setting, bool with_ours);

// The two files' contents; empty where nothing goes into one. Pure.
std::string sysctl_file(const std::vector<Need>& needs);
std::string tmpfiles_file(const std::vector<Need>& needs);

}  // namespace umlfarm::hostsetup
