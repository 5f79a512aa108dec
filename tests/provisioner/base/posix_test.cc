#include "provisioner/base/posix.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "provisioner/base/atomic_file.h"
#include "provisioner/base/file_lock.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm {
namespace {

TEST(UniqueFd, MoveAssignmentClosesWhatItHeld) {
  UniqueFd first(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  UniqueFd second(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int held = first.get();
  const int moved = second.get();
  first = std::move(second);
  EXPECT_EQ(first.get(), moved);
  EXPECT_EQ(::fcntl(held, F_GETFD), -1);
}

TEST(RemoveTree, RemovesLinksWithoutFollowingThem) {
  const testing::TemporaryDirectory directory;
  ASSERT_THAT(posix::make_directories(directory / "outside", 0755), testing::is_ok());
  ASSERT_THAT(write_file_atomically(directory / "outside/kept", "x", 0600), testing::is_ok());
  ASSERT_THAT(posix::make_directories(directory / "tree/a/b", 0755), testing::is_ok());
  ASSERT_EQ(::symlink("../../outside", (directory / "tree/a/link").c_str()), 0);
  EXPECT_THAT(posix::remove_tree(directory / "tree"), testing::is_ok());
  EXPECT_FALSE(posix::exists(directory / "tree"));
  EXPECT_TRUE(posix::exists(directory / "outside/kept"));
  EXPECT_THAT(posix::remove_tree(directory / "tree"), testing::is_ok());
}

TEST(WriteFileAtomically, KeepsTheOldFileWhenItFails) {
  const testing::TemporaryDirectory directory;
  ASSERT_THAT(write_file_atomically(directory / "f", "old", 0640), testing::is_ok());
  ASSERT_THAT(posix::make_directories(directory / "f.new", 0755), testing::is_ok());
  EXPECT_FALSE(write_file_atomically(directory / "f", "new", 0640));
  EXPECT_EQ(posix::read_file(directory / "f").value_or(std::string()), "old");
}

TEST(ReadFile, RefusesMoreThanTheLimit) {
  const testing::TemporaryDirectory directory;
  ASSERT_THAT(write_file_atomically(directory / "f", std::string(100, 'x'), 0600), testing::is_ok());
  EXPECT_THAT(posix::read_file(directory / "f", 99), testing::is_error(Kind::Invalid, "99"));
  EXPECT_THAT(posix::read_file(directory / "f", 100), testing::is_ok());
}

TEST(FileLock, IsExclusiveAndEndsWithItsObject) {
  const testing::TemporaryDirectory directory;
  {
    const auto held = FileLock::acquire(directory / "lock");
    ASSERT_THAT(held, testing::is_ok());
    EXPECT_THAT(FileLock::acquire(directory / "lock"), testing::is_error(Kind::Conflict, "lock"));
  }
  EXPECT_THAT(FileLock::acquire(directory / "lock"), testing::is_ok());
}

}  // namespace
}  // namespace umlfarm
