// Files that are installed with the program that runs.
#pragma once

#include <filesystem>
#include <string>

namespace umlfarm {

// Below the prefix that this program is installed in, such as "share/umlfarm/profiles"; empty where there is
// no such file, as in a build directory.
inline std::string installed(const std::string& relative) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto path = self.parent_path().parent_path() / relative;
  return std::filesystem::exists(path, error) ? path.string() : std::string();
}

}  // namespace umlfarm
