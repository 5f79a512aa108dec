// An exclusive lock on a file, held as long as the object (and the process) lives.
#pragma once

#include <string>

#include "provisioner/base/result.h"
#include "provisioner/base/unique_fd.h"

namespace umlfarm {

class FileLock {
 public:
  // Creates the file when missing and takes flock(2) exclusively without waiting.
  // Conflict when another process (or another FileLock in this one) holds it.
  static Result<FileLock> acquire(const std::string& path);

 private:
  explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace umlfarm
