// A guest kernel started by hand: no farm, no jail. Root's alone, in a PID namespace so that nothing is left.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "provisioner/base/unique_fd.h"

namespace umlfarm::testing {

// What the kernel writes to its console when it runs init.
inline constexpr const char* kInitRuns = "Run /sbin/init as init process";

struct HandStart {
  std::string kernel;  // the program
  std::string base;    // raw image, behind a COW file of the guest's own
  std::vector<std::string> more;
  const char* memory = "mem=32M";
  bool pinned = false;           // to one processor
  bool fixed_addresses = false;  // no address space randomisation
  bool as_init = false;          // the kernel itself is init of its PID namespace
};

// What goes last into `more` to have a shell that says `words` as init. The console shows them first, as the
// kernel's command line.
std::vector<std::string> shell_as_init(const std::string& words);

class HandGuest {
 public:
  // Makes a COW disk in `directory`, which must be empty, and starts the kernel.
  HandGuest(const HandStart& start, const std::string& directory);
  HandGuest(HandGuest&&) = default;
  HandGuest& operator=(HandGuest&&) = delete;
  HandGuest(const HandGuest&) = delete;
  HandGuest& operator=(const HandGuest&) = delete;
  ~HandGuest();

  // From exec until its console has shown that, milliseconds; -1 when it falls silent for two minutes before.
  double wait_for(const std::string& mark);
  double wait_for_init() { return wait_for(kInitRuns); }
  const std::string& output() const { return output_; }
  // Its exit code, as a shell would say it; -1 when it does not end by itself.
  int wait_for_end();
  // To its kernel; false when that has ended.
  [[nodiscard]] bool signal(int number) const;

 private:
  std::chrono::steady_clock::time_point begun_;
  UniqueFd console_;
  UniqueFd process_;  // pidfd of the namespace's init
  pid_t init_ = -1;
  std::string output_;
};

}  // namespace umlfarm::testing
