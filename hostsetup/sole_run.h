// Only one run at a time changes a machine.
#pragma once

#include "hostsetup/machine.h"
#include "provisioner/base/result.h"
#include "provisioner/base/unique_fd.h"

namespace umlfarm::hostsetup {

class SoleRun {
 public:
  // Conflict while another run holds it, Denied for who may not change the machine. The file that it locks
  // goes when the run ends.
  static Result<SoleRun> begin(const Machine& machine);
  SoleRun(SoleRun&&) = default;
  SoleRun& operator=(SoleRun&&) = delete;
  ~SoleRun();

 private:
  SoleRun(UniqueFd lock, std::string path) : lock_(std::move(lock)), path_(std::move(path)) {}
  UniqueFd lock_;
  std::string path_;
};

}  // namespace umlfarm::hostsetup
