// A file that appears under its name only when it is complete, and never over another.
#pragma once

#include <sys/types.h>

#include <string>

#include "provisioner/base/result.h"
#include "provisioner/base/unique_fd.h"

namespace umlfarm::guest {

// Until publish() the file has no name (O_TMPFILE), so that a process that dies leaves nothing behind.
class StagedFile {
 public:
  // In the directory of `path`, with exactly that mode, owned by the caller. Conflict when `path` exists.
  static Result<StagedFile> create(const std::string& path, mode_t mode);

  int fd() const { return fd_.get(); }

  // Syncs the file, links it under its path and syncs the directory. Conflict when the path exists by now;
  // on any failure the path is as it was.
  Status publish();

 private:
  StagedFile(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  std::string path_;
  UniqueFd fd_;
};

// The directory part of a path, "." where there is none.
std::string directory_of(const std::string& path);

}  // namespace umlfarm::guest
