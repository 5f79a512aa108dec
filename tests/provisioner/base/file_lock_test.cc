#include "provisioner/base/file_lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "provisioner/base/atomic_file.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm {
namespace {

using testing::is_error;
using testing::is_ok;

TEST(FileLock, IsExclusiveAndEndsWithItsObject) {
  const testing::TemporaryDirectory directory;
  {
    const auto held = FileLock::acquire(directory / "lock");
    ASSERT_THAT(held, is_ok());
    EXPECT_THAT(FileLock::acquire(directory / "lock"), is_error(Kind::Conflict, directory / "lock"));
  }
  EXPECT_THAT(FileLock::acquire(directory / "lock"), is_ok());
}

TEST(FileLock, MovesWithoutLettingGo) {
  const testing::TemporaryDirectory directory;
  auto first = FileLock::acquire(directory / "lock");
  ASSERT_THAT(first, is_ok());
  {
    const FileLock second = *std::move(first);
    EXPECT_THAT(FileLock::acquire(directory / "lock"), is_error(Kind::Conflict, "lock"));
  }
  EXPECT_THAT(FileLock::acquire(directory / "lock"), is_ok());
}

TEST(FileLock, OfOneFileLeavesAnotherFree) {
  const testing::TemporaryDirectory directory;
  const auto first = FileLock::acquire(directory / "one");
  EXPECT_THAT(first, is_ok());
  EXPECT_THAT(FileLock::acquire(directory / "other"), is_ok());
}

TEST(FileLock, KeepsWhatTheFileHolds) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "lock";
  ASSERT_THAT(write_file_atomically(path, "kept", 0600), is_ok());
  EXPECT_THAT(FileLock::acquire(path), is_ok());
  EXPECT_EQ(posix::read_file(path).value_or(""), "kept");
}

TEST(FileLock, NamesAFileThatCannotBe) {
  const testing::TemporaryDirectory directory;
  EXPECT_THAT(FileLock::acquire(directory / "nowhere/lock"),
              is_error(Kind::NotFound, directory / "nowhere/lock"));
}

struct Pipe {
  Pipe() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    output.reset(ends[0]);
    input.reset(ends[1]);
  }
  UniqueFd output;
  UniqueFd input;
};

char read_one(int fd) {
  char byte = '\0';
  EXPECT_EQ(::read(fd, &byte, 1), 1);
  return byte;
}

TEST(FileLock, IsFreeOnceItsHolderWasKilled) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "lock";
  Pipe told;
  const pid_t holder = ::fork();
  if (holder == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const auto held = FileLock::acquire(path);
    (void)!::write(told.input.get(), held ? "y" : "n", 1);
    for (;;) ::pause();
  }
  told.input.reset();
  EXPECT_EQ(read_one(told.output.get()), 'y');
  EXPECT_THAT(FileLock::acquire(path), is_error(Kind::Conflict, "lock"));
  ASSERT_EQ(::kill(holder, SIGKILL), 0);
  ASSERT_EQ(::waitpid(holder, nullptr, 0), holder);
  EXPECT_THAT(FileLock::acquire(path), is_ok());
}

TEST(FileLock, IsNotHandedToProgramsThatItsHolderStarts) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "lock";
  Pipe to;
  Pipe from;
  pid_t cat = 0;
  {
    const auto held = FileLock::acquire(path);
    ASSERT_THAT(held, is_ok());
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, to.output.get(), 0);
    ::posix_spawn_file_actions_adddup2(&actions, from.input.get(), 1);
    char name[] = "cat";
    char* const arguments[] = {name, nullptr};
    ASSERT_EQ(::posix_spawnp(&cat, name, &actions, nullptr, arguments, environ), 0);
    ::posix_spawn_file_actions_destroy(&actions);
    // What it gives back shows that it has begun; the kernel closes descriptors late in exec(2).
    ASSERT_THAT(posix::write_all(to.input.get(), "x"), is_ok());
    EXPECT_EQ(read_one(from.output.get()), 'x');
  }
  EXPECT_THAT(FileLock::acquire(path), is_ok());
  to.input.reset();
  EXPECT_EQ(::waitpid(cat, nullptr, 0), cat);
}

}  // namespace
}  // namespace umlfarm
