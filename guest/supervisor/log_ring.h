// A log that never outgrows its share of the disk: FILE, and FILE.1 with what came before.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "provisioner/base/result.h"
#include "provisioner/base/unique_fd.h"

namespace umlfarm::guest {

class LogRing {
 public:
  // Appends to an existing log. `half` is the most bytes that each of the two files holds.
  static Result<LogRing> open(const std::string& path, std::uint64_t half);

  // What the disk refuses is lost and counted: a guest never waits for its log.
  void write(std::string_view data);
  std::uint64_t dropped() const { return dropped_; }

 private:
  LogRing(std::string path, std::uint64_t half, UniqueFd file, std::uint64_t size)
      : path_(std::move(path)), half_(half), file_(std::move(file)), size_(size) {}
  void rotate();

  std::string path_;
  std::uint64_t half_;
  UniqueFd file_;
  std::uint64_t size_;
  std::uint64_t dropped_ = 0;
};

}  // namespace umlfarm::guest
