#include "provisioner/base/as_user.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

#include "provisioner/base/atomic_file.h"
#include "provisioner/base/posix.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm {
namespace {

using testing::is_error;
using testing::is_ok;

// Whom no host knows.
constexpr uid_t kSomebody = 54321;
constexpr uid_t kAnother = 54322;

Status opens(const std::string& path) {
  UMLFARM_ASSIGN(const UniqueFd fd, posix::open(path, O_RDONLY));
  return {};
}

class AsUser : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can act for others";
    ASSERT_EQ(::chmod(directory_.path().c_str(), 0711), 0);
  }
  std::string file(const std::string& name, uid_t uid, gid_t gid, mode_t mode) const {
    EXPECT_THAT(write_file_atomically(directory_ / name, "x", 0600), is_ok());
    EXPECT_EQ(::chown((directory_ / name).c_str(), uid, gid), 0);
    EXPECT_EQ(::chmod((directory_ / name).c_str(), mode), 0);
    return directory_ / name;
  }

  const testing::TemporaryDirectory directory_;
};

TEST_F(AsUser, OpensWhatTheUserMayOpenAndNothingElse) {
  const struct {
    const char* name;
    uid_t owner;
    mode_t mode;
    bool may;
  } rows[] = {{"own", kSomebody, 0600, true},      {"own-locked", kSomebody, 0000, false},
              {"anothers", kAnother, 0600, false}, {"anothers-public", kAnother, 0604, true},
              {"roots", 0, 0600, false},           {"roots-public", 0, 0644, true},
              {"of-roots-group", 0, 0640, false}};
  for (const auto& row : rows) {
    const std::string path = file(row.name, row.owner, 0, row.mode);
    const Status opened = as_user(kSomebody, [&] { return opens(path); });
    if (row.may) {
      EXPECT_THAT(opened, is_ok()) << row.name;
    } else {
      EXPECT_THAT(opened, is_error(Kind::Denied, path)) << row.name;
    }
    EXPECT_THAT(opens(path), is_ok()) << row.name;
  }
}

TEST_F(AsUser, ReachesNothingBelowADirectoryThatIsClosedToTheUser) {
  const std::string path = file("public", kSomebody, 0, 0644);
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0700), 0);
  EXPECT_THAT(as_user(kSomebody, [&] { return opens(path); }), is_error(Kind::Denied, path));
}

TEST_F(AsUser, HasTheUsersGroups) {
  const passwd* const entry = ::getpwuid(65534);
  if (entry == nullptr || entry->pw_gid == 0) GTEST_SKIP() << "no user with a group of its own";
  const std::string path = file("of-the-group", 0, entry->pw_gid, 0640);
  EXPECT_THAT(as_user(65534, [&] { return opens(path); }), is_ok());
}

TEST_F(AsUser, MakesFilesThatAreTheUsers) {
  ASSERT_EQ(::chmod(directory_.path().c_str(), 0777), 0);
  EXPECT_THAT(as_user(kSomebody, [&] { return write_file_atomically(directory_ / "new", "x", 0600); }),
              is_ok());
  EXPECT_EQ(posix::stat(directory_ / "new")->st_uid, kSomebody);
}

TEST_F(AsUser, IsRootAgainAfterwardsAlsoWhereTheWorkFails) {
  const std::string roots = file("roots", 0, 0, 0600);
  EXPECT_THAT(as_user(kSomebody, [] { return Status(Error(Kind::Conflict, "held")); }),
              is_error(Kind::Conflict, "held"));
  EXPECT_THAT(opens(roots), is_ok());
  // As nobody's file, which only root's powers open.
  EXPECT_THAT(opens(file("anothers", kAnother, kAnother, 0000)), is_ok());
  EXPECT_THAT(write_file_atomically(directory_ / "after", "x", 0600), is_ok());
  EXPECT_EQ(posix::stat(directory_ / "after")->st_uid, 0U);
  EXPECT_EQ(posix::stat(directory_ / "after")->st_gid, 0U);
}

TEST_F(AsUser, LeavesOtherThreadsAsTheyAre) {
  const std::string roots = file("roots", 0, 0, 0600);
  Status elsewhere;
  // A thread of before: new ones take after the one that makes them.
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd output(ends[0]);
  UniqueFd input(ends[1]);
  std::thread other([&] {
    char byte = '\0';
    (void)!::read(output.get(), &byte, 1);
    elsewhere = opens(roots);
  });
  const Status here = as_user(kSomebody, [&] {
    input.reset();
    other.join();
    return opens(roots);
  });
  EXPECT_THAT(here, is_error(Kind::Denied, roots));
  EXPECT_THAT(elsewhere, is_ok());
}

TEST(AsSomebodyElse, IsOverHoweverTheWorkEnds) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may act for others";
  EXPECT_ANY_THROW((void)!as_user(kSomebody, []() -> Status { throw std::runtime_error("x"); }));
  EXPECT_EQ(::setfsuid(static_cast<uid_t>(-1)), 0);
}

TEST(AsOneself, IsAnOrdinaryCall) {
  for (const uid_t uid : {uid_t{0}, ::geteuid()}) {
    int calls = 0;
    EXPECT_THAT(as_user(uid,
                        [&] {
                          ++calls;
                          return Status();
                        }),
                is_ok());
    EXPECT_EQ(calls, 1);
  }
}

TEST(AsSomebodyElse, IsDeniedToWhomIsNotRoot) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may act for others";
  EXPECT_THAT(as_user(kSomebody,
                      [] {
                        ADD_FAILURE() << "it was called";
                        return Status();
                      }),
              is_error(Kind::Denied, std::to_string(kSomebody)));
}

}  // namespace
}  // namespace umlfarm
