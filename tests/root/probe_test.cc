// umlfarm-probe with real guests: it says "ok" of this host, and what is in the way where something is.
#include <gmock/gmock.h>
#include <seccomp.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "tests/support/run_program.h"
#include "tests/support/test_farm.h"

namespace umlfarm::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kFiltered = "UMLFARM_TEST_FILTERED";

std::string kernel(const char* flavour) { return built_kernel(flavour) + "/linux"; }

Ran probe(const std::vector<std::string>& words) {
  std::vector<std::string> arguments{UMLFARM_PROBE};
  arguments.insert(arguments.end(), words.begin(), words.end());
  return run_program(arguments);
}

TEST(Probe, FindsThatGuestsRunHere) {
  const Ran strict = probe({kernel("strict")});
  EXPECT_EQ(strict.code, 0) << strict.err;
  EXPECT_THAT(strict.out, StartsWith("ok it runs"));
  const Ran fast = probe({"--seccomp", kernel("fast")});
  EXPECT_EQ(fast.code, 0) << fast.err;
  EXPECT_THAT(fast.out, StartsWith("ok it runs"));
}

TEST(Probe, ShowsWhatTheGuestSaid) {
  const Ran ran = probe({"--console", kernel("strict")});
  EXPECT_THAT(ran.err, HasSubstr("Linux version"));
  EXPECT_THAT(ran.err, HasSubstr("probe: narrow works"));
}

TEST(Probe, SaysAtWhichStepTheJailFailed) {
  // It wants a loader, which no jail has.
  const Ran ran = probe({"/bin/true"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, StartsWith("jail "));
  EXPECT_THAT(ran.out, HasSubstr("exec /bin/true"));
}

TEST(Probe, RefusesBadInput) {
  EXPECT_EQ(probe({}).code, 2);
  EXPECT_THAT(probe({"--uid", "0", kernel("strict")}).err, HasSubstr("never runs as root"));
  const Ran missing = probe({"/nowhere/linux"});
  EXPECT_EQ(missing.code, exit_code(Kind::NotFound));
  EXPECT_THAT(missing.err, HasSubstr("/nowhere/linux"));
}

// As a container does that lets nobody trace.
[[noreturn]] void probe_without_ptrace() {
  scmp_filter_ctx filter = ::seccomp_init(SCMP_ACT_ALLOW);
  const std::string path = kernel("strict");
  if (::seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ptrace), 0) == 0 &&
      ::seccomp_load(filter) == 0) {
    ::execl(UMLFARM_PROBE, UMLFARM_PROBE, path.c_str(), nullptr);
  }
  ::_exit(99);
}

TEST(Probe, NamesAFilterAroundItself) {
  // This test again, in a process of its own that filters itself.
  if (std::getenv(kFiltered) != nullptr) probe_without_ptrace();
  const Ran ran = run_program(
      {std::filesystem::read_symlink("/proc/self/exe"), "--gtest_filter=Probe.NamesAFilterAroundItself"},
      {std::string(kFiltered) + "=yes"});
  EXPECT_EQ(ran.code, 1) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("\nouter-seccomp "));
}

}  // namespace
}  // namespace umlfarm::testing
