#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "provisioner/base/atomic_file.h"
#include "provisioner/base/posix.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm {
namespace {

using testing::is_error;
using testing::is_ok;

class RemoveTree : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(posix::make_directories(directory_ / "outside", 0755), is_ok());
    ASSERT_THAT(write_file_atomically(kept_, "x", 0600), is_ok());
    ASSERT_THAT(posix::make_directories(tree_ + "/a/b", 0755), is_ok());
  }

  const testing::TemporaryDirectory directory_;
  const std::string kept_ = directory_ / "outside/kept";
  const std::string tree_ = directory_ / "tree";
};

TEST_F(RemoveTree, RemovesFilesOfEveryKind) {
  ASSERT_THAT(write_file_atomically(tree_ + "/a/file", "x", 0400), is_ok());
  ASSERT_THAT(write_file_atomically(tree_ + "/.hidden", "x", 0400), is_ok());
  ASSERT_EQ(::mkfifo((tree_ + "/a/b/pipe").c_str(), 0600), 0);
  ASSERT_EQ(::symlink("nowhere", (tree_ + "/a/dangling").c_str()), 0);
  EXPECT_THAT(posix::remove_tree(tree_), is_ok());
  EXPECT_FALSE(posix::exists(tree_));
}

TEST_F(RemoveTree, OfWhatIsMissingIsSuccess) {
  ASSERT_THAT(posix::remove_tree(tree_), is_ok());
  EXPECT_THAT(posix::remove_tree(tree_), is_ok());
  EXPECT_THAT(posix::remove_tree(directory_ / "never/was"), is_ok());
}

TEST_F(RemoveTree, RemovesLinksWithoutFollowingThem) {
  ASSERT_EQ(::symlink("../../outside", (tree_ + "/a/relative").c_str()), 0);
  ASSERT_EQ(::symlink((directory_ / "outside").c_str(), (tree_ + "/absolute").c_str()), 0);
  ASSERT_EQ(::symlink(kept_.c_str(), (tree_ + "/file").c_str()), 0);
  EXPECT_THAT(posix::remove_tree(tree_), is_ok());
  EXPECT_FALSE(posix::exists(tree_));
  EXPECT_TRUE(posix::exists(kept_));
}

TEST_F(RemoveTree, OfALinkRemovesTheLinkAlone) {
  ASSERT_EQ(::symlink("outside", (directory_ / "link").c_str()), 0);
  EXPECT_THAT(posix::remove_tree(directory_ / "link"), is_ok());
  EXPECT_EQ(posix::list_directory(directory_.path()).value_or(std::vector<std::string>()),
            (std::vector<std::string>{"outside", "tree"}));
  EXPECT_TRUE(posix::exists(kept_));
}

TEST_F(RemoveTree, OfAFileRemovesIt) {
  EXPECT_THAT(posix::remove_tree(kept_), is_ok());
  EXPECT_FALSE(posix::exists(kept_));
}

TEST_F(RemoveTree, GoesAsDeepAsADirectoryCan) {
  // Deeper than a path may be long: descriptors lead there.
  UniqueFd at = posix::open(tree_, O_RDONLY | O_DIRECTORY).value();
  const std::string name(250, 'd');
  for (int depth = 0; depth < 30; ++depth) {
    ASSERT_EQ(::mkdirat(at.get(), name.c_str(), 0700), 0);
    at = posix::open_at(at.get(), name, O_RDONLY | O_DIRECTORY).value();
  }
  EXPECT_THAT(posix::remove_tree(tree_), is_ok());
  EXPECT_FALSE(posix::exists(tree_));
}

enum Outcome { kKept, kCrossed, kWrongError, kCannotMount };

// In a process of its own, whose mounts nobody else sees: what is below the mount must be there afterwards.
// `bind`: a directory of the same file system in place of another one.
int remove_around_mount(const std::string& tree, const std::string& bind) {
  if (::unshare(::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) != 0) return kCannotMount;
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return kCannotMount;
  const std::string mounted = tree + "/a/b";
  const bool done = bind.empty() ? ::mount("none", mounted.c_str(), "tmpfs", 0, nullptr) == 0
                                 : ::mount(bind.c_str(), mounted.c_str(), nullptr, MS_BIND, nullptr) == 0;
  if (!done) return kCannotMount;
  if (::mkdir((mounted + "/inside").c_str(), 0700) != 0) return kCannotMount;
  const Status removed = posix::remove_tree(tree);
  if (!posix::exists(mounted + "/inside")) return kCrossed;
  return !removed && removed.error().kind() == Kind::Conflict ? kKept : kWrongError;
}

TEST_F(RemoveTree, StopsAtWhateverIsMounted) {
  const testing::TemporaryDirectory outside;
  for (const std::string& bind : {std::string(), outside.path()}) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(remove_around_mount(tree_, bind));
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << status;
    if (WEXITSTATUS(status) == kCannotMount) GTEST_SKIP() << "this user cannot mount here";
    EXPECT_EQ(WEXITSTATUS(status), kKept) << bind;
  }
  EXPECT_TRUE(posix::exists(outside / "inside"));
}

// As all of the farm's own below /run.
int remove_below_mount(const std::string& tree) {
  if (::unshare(::geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS) != 0) return kCannotMount;
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return kCannotMount;
  const std::string mounted = tree + "/a/b";
  if (::mount("none", mounted.c_str(), "tmpfs", 0, nullptr) != 0) return kCannotMount;
  if (!posix::make_directories(mounted + "/below/it", 0700)) return kCannotMount;
  if (!posix::remove_tree(mounted + "/below")) return kWrongError;
  return posix::exists(mounted + "/below") ? kWrongError : kKept;
}

TEST_F(RemoveTree, ReachesATreeAcrossMounts) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(remove_below_mount(tree_));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << status;
  if (WEXITSTATUS(status) == kCannotMount) GTEST_SKIP() << "this user cannot mount here";
  EXPECT_EQ(WEXITSTATUS(status), kKept);
}

TEST_F(RemoveTree, TellsWhatItMayNotRemove) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may remove everything";
  ASSERT_EQ(::chmod((tree_ + "/a").c_str(), 0500), 0);
  EXPECT_THAT(posix::remove_tree(tree_), is_error(Kind::Denied, tree_ + "/a/b"));
  ASSERT_EQ(::chmod((tree_ + "/a").c_str(), 0700), 0);
}

}  // namespace
}  // namespace umlfarm
