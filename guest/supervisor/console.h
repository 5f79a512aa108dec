// The guest's terminal as its supervisor holds it: the pty, the log, and whoever is attached.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "guest/supervisor/log_ring.h"
#include "provisioner/base/result.h"
#include "provisioner/base/unique_fd.h"

namespace umlfarm::guest {

class Console {
 public:
  static Result<Console> open(const std::string& log_file);

  // For the guest; borrowed.
  int slave() const { return slave_.get(); }
  // To be watched for input.
  int master() const { return master_.get(); }

  // What the guest has written since, at most 64 KiB; logged, and kept as the tail.
  std::string take_output();
  // What could not be written yet must be offered again.
  std::size_t give_input(std::string_view data);
  void resize(std::uint16_t rows, std::uint16_t columns);

  // The last 4 KiB.
  const std::string& tail() const { return tail_; }
  std::uint64_t log_dropped() const { return log_.dropped(); }

 private:
  Console(UniqueFd master, UniqueFd slave, LogRing log)
      : master_(std::move(master)), slave_(std::move(slave)), log_(std::move(log)) {}

  UniqueFd master_;
  UniqueFd slave_;  // kept open, so that the master never reports a hang-up
  LogRing log_;
  std::string tail_;
};

}  // namespace umlfarm::guest
