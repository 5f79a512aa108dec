// A farm with a guest "alice" of each flavour, whatever its manifest says: unpatched kernels are tested, too.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "tests/support/test_farm.h"

namespace umlfarm::testing {

class Kernel : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { farm_.ok({"kernel", "add", built_kernel("fast")}); }

  void create(std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"--kernel", GetParam()});
    farm_.create("alice", more);
  }

  // What umlfarm_in_guest says to that in the guest, which is made for it.
  std::string said_in_the_guest(const std::string& arguments) const;

  // Host processes of the guest's kernel, without those that it traces.
  std::set<std::string> untraced() const;

  // Runs strace with these options on all of the guest's kernel, until ended by SIGINT; what it says goes to
  // `log`. Returns once it is attached.
  pid_t trace_the_kernel(const std::vector<std::string>& options, const std::string& log) const;

  TestFarm farm_{"[guests]\ndefault_plan = 'tiny'\n" +
                 plan_of("tiny", "durable_disks = false\ntap_offload = false")};
};

}  // namespace umlfarm::testing
