// What the machine sets when it starts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hostsetup/check.h"

namespace umlfarm::hostsetup {

inline constexpr const char* kSysctlFile = "/etc/sysctl.d/99-umlfarm.conf";
inline constexpr const char* kTmpfilesFile = "/etc/tmpfiles.d/umlfarm.conf";

// "/etc/sysctl.d/99-zz.conf:3" where a file that comes after ours sets it otherwise than is needed
// (sysctl.d(5)); nothing where none does.
std::optional<std::string> overridden_at_boot(const Machine& machine, const Need& need);

// The two files' contents; empty where nothing goes into one. Pure.
std::string sysctl_file(const std::vector<Need>& needs);
std::string tmpfiles_file(const std::vector<Need>& needs);

}  // namespace umlfarm::hostsetup
