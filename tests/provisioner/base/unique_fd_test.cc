#include "provisioner/base/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace umlfarm {
namespace {

int some_descriptor() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

TEST(UniqueFd, HoldsNothingByDefault) {
  const UniqueFd none;
  EXPECT_FALSE(none);
  EXPECT_LT(none.get(), 0);
}

TEST(UniqueFd, ClosesAtItsEnd) {
  int held = -1;
  {
    const UniqueFd fd(some_descriptor());
    held = fd.get();
    ASSERT_TRUE(fd);
    ASSERT_TRUE(is_open(held));
  }
  EXPECT_FALSE(is_open(held));
}

TEST(UniqueFd, MovesOwnershipAndClosesOnce) {
  UniqueFd first(some_descriptor());
  const int held = first.get();
  {
    const UniqueFd second(std::move(first));
    EXPECT_FALSE(first);  // NOLINT: what a move leaves is part of the contract
    EXPECT_EQ(second.get(), held);
  }
  ASSERT_FALSE(is_open(held));
  // The number is somebody else's now: what was moved from must not close it.
  const UniqueFd other(some_descriptor());
  ASSERT_EQ(other.get(), held);
  first.reset();
  EXPECT_TRUE(is_open(held));
}

TEST(UniqueFd, MoveAssignmentClosesWhatItHeld) {
  UniqueFd first(some_descriptor());
  UniqueFd second(some_descriptor());
  const int held = first.get();
  const int moved = second.get();
  first = std::move(second);
  EXPECT_EQ(first.get(), moved);
  EXPECT_TRUE(is_open(moved));
  EXPECT_FALSE(is_open(held));
}

TEST(UniqueFd, SurvivesBeingMovedToItself) {
  UniqueFd fd(some_descriptor());
  const int held = fd.get();
  UniqueFd& itself = fd;
  fd = std::move(itself);
  EXPECT_EQ(fd.get(), held);
  EXPECT_TRUE(is_open(held));
}

TEST(UniqueFd, ReleaseGivesUpWithoutClosing) {
  int held = -1;
  {
    UniqueFd fd(some_descriptor());
    held = fd.release();
    EXPECT_FALSE(fd);
  }
  ASSERT_TRUE(is_open(held));
  ::close(held);
}

TEST(UniqueFd, ResetClosesTheOldAndTakesTheNew) {
  UniqueFd fd(some_descriptor());
  const int old = fd.get();
  const int next = some_descriptor();
  fd.reset(next);
  EXPECT_EQ(fd.get(), next);
  EXPECT_FALSE(is_open(old));
  fd.reset();
  EXPECT_FALSE(fd);
  EXPECT_FALSE(is_open(next));
}

TEST(UniqueFd, OwnsDescriptorZero) {
  // Only asked, never closed: standard input is the test's own.
  UniqueFd fd(0);
  EXPECT_TRUE(fd);
  EXPECT_EQ(fd.release(), 0);
}

}  // namespace
}  // namespace umlfarm
