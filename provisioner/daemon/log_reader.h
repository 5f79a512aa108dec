// Reads a guest's console log, across its rotation, and goes on as it grows.
#pragma once

#include <cstdint>
#include <string>

#include "provisioner/base/result.h"
#include "provisioner/base/unique_fd.h"

namespace umlfarm::daemon {

class LogReader {
 public:
  explicit LogReader(std::string path) : path_(std::move(path)) {}

  // All that there is: what was rotated away, then the log.
  Result<std::string> everything();
  // What was added since; empty when nothing was.
  Result<std::string> more();

 private:
  Result<std::string> rest();

  std::string path_;
  UniqueFd file_;
};

}  // namespace umlfarm::daemon
