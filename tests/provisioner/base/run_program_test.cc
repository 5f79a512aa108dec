#include "provisioner/base/run_program.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "provisioner/base/atomic_file.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/variable.h"

namespace umlfarm {
namespace {

using testing::is_error;
using testing::is_ok;
using testing::Variable;

TEST(RunProgram, GivesItsOutputAndExitCode) {
  const struct {
    const char* script;
    int code;
    const char* output;
  } rows[] = {{"true", 0, ""},
              {"printf 'one\\ntwo'", 0, "one\ntwo"},
              {"echo out; echo err >/dev/null; exit 7", 7, "out\n"},
              {"kill -9 $$", 128 + 9, ""}};
  for (const auto& row : rows) {
    const auto finished = run_program({"sh", "-c", row.script});
    ASSERT_THAT(finished, is_ok()) << row.script;
    EXPECT_EQ(finished->exit_code, row.code) << row.script;
    EXPECT_EQ(finished->output, row.output) << row.script;
  }
}

TEST(RunProgram, PassesArgumentsAsTheyAre) {
  const auto finished = run_program({"printf", "<%s>", "", "two words", "$HOME", "*"});
  ASSERT_THAT(finished, is_ok());
  EXPECT_EQ(finished->output, "<><two words><$HOME><*>");
}

TEST(RunProgram, TakesMoreThanAPipeHolds) {
  const auto finished = run_program({"head", "-c", "1000000", "/dev/zero"});
  ASSERT_THAT(finished, is_ok());
  EXPECT_EQ(finished->output.size(), 1'000'000U);
}

TEST(RunProgram, EndsOneThatSaysTooMuch) {
  EXPECT_THAT(run_program({"cat", "/dev/zero"}), is_error(Kind::Invalid, "larger"));
}

TEST(RunProgram, NamesAProgramThatIsNotThere) {
  EXPECT_THAT(run_program({"/nowhere/program"}), is_error(Kind::NotFound, "/nowhere/program"));
  // A directory that is closed to us would be the answer otherwise.
  const Variable path("PATH", "/usr/bin:/bin");
  EXPECT_THAT(run_program({"umlfarm-no-such-program"}), is_error(Kind::NotFound, "umlfarm-no-such-program"));
}

TEST(RunProgram, NamesAProgramThatMayNotRun) {
  const testing::TemporaryDirectory directory;
  ASSERT_THAT(write_file_atomically(directory / "script", "#!/bin/sh\n", 0600), is_ok());
  EXPECT_THAT(run_program({directory / "script"}), is_error(Kind::Denied, directory / "script"));
}

TEST(BecomeProgram, ReturnsWhereItCannot) {
  EXPECT_THAT(Status(become_program({"/nowhere/program"})), is_error(Kind::NotFound, "/nowhere/program"));
}

TEST(BecomeProgram, TakesThisProcesssPlace) {
  const pid_t child = ::fork();
  if (child == 0) {
    (void)become_program({"sh", "-c", "exit 7"});
    ::_exit(127);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

}  // namespace
}  // namespace umlfarm
