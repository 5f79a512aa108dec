#include "hostsetup/sole_run.h"

#include "tests/hostsetup/fake_machine.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::hostsetup {
namespace {

using testing::is_error;
using testing::is_ok;

TEST(SoleRun, KeepsAnotherOutUntilItEnds) {
  const FakeMachine host;
  {
    const auto first = SoleRun::begin(host.machine());
    ASSERT_THAT(first, is_ok());
    EXPECT_THAT(SoleRun::begin(host.machine()), is_error(Kind::Conflict, "another umlfarm-hostsetup"));
  }
  EXPECT_FALSE(host.machine().has("/run/umlfarm-hostsetup.lock"));
  EXPECT_THAT(SoleRun::begin(host.machine()), is_ok());
}

}  // namespace
}  // namespace umlfarm::hostsetup
