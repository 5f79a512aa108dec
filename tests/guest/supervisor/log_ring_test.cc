#include "guest/supervisor/log_ring.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "provisioner/base/posix.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::guest {
namespace {

using testing::is_error;
using testing::is_ok;

class LogRingTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kHalf = 100;

  LogRing open(std::uint64_t half = kHalf) {
    auto log = LogRing::open(path_, half);
    EXPECT_THAT(log, is_ok());
    return std::move(log).value();
  }

  static std::string content(const std::string& path) {
    return posix::read_file(path).value_or(std::string("no ") + path);
  }
  std::string now() const { return content(path_); }
  std::string before() const { return content(path_ + ".1"); }

  testing::TemporaryDirectory directory_;
  const std::string path_ = directory_ / "console.log";
};

TEST_F(LogRingTest, KeepsWhatIsWritten) {
  LogRing log = open();
  log.write("one\r\n");
  log.write(std::string_view("\0\x1b\xff", 3));
  log.write("");
  EXPECT_EQ(now(), "one\r\n" + std::string("\0\x1b\xff", 3));
  EXPECT_EQ(log.dropped(), 0U);
  EXPECT_FALSE(posix::exists(path_ + ".1"));
}

TEST_F(LogRingTest, IsForItsOwnerAlone) {
  const LogRing log = open();
  const auto info = posix::stat(path_);
  ASSERT_THAT(info, is_ok());
  EXPECT_EQ(info->st_mode & 0777U, 0600U);
}

TEST_F(LogRingTest, TurnsOverWhereTheNextWriteWouldNotFit) {
  LogRing log = open();
  const std::string full(kHalf, 'a');
  log.write(full);
  EXPECT_FALSE(posix::exists(path_ + ".1"));
  log.write("b");
  EXPECT_EQ(before(), full);
  EXPECT_EQ(now(), "b");
  log.write(std::string(kHalf, 'c'));
  EXPECT_EQ(before(), "b");
  EXPECT_EQ(now(), std::string(kHalf, 'c'));
  EXPECT_EQ(log.dropped(), 0U);
}

TEST_F(LogRingTest, NeverOutgrowsItsShareAndKeepsTheEnd) {
  LogRing log = open();
  std::string all;
  for (std::size_t i = 0; i < 500; ++i) {
    const std::string piece(i * 7 % (kHalf + 1), static_cast<char>('a' + i % 26));
    log.write(piece);
    all += piece;
    ASSERT_LE(now().size(), kHalf);
    if (posix::exists(path_ + ".1")) {
      ASSERT_LE(before().size(), kHalf);
    }
  }
  EXPECT_TRUE(all.ends_with(before() + now()));
  EXPECT_EQ(log.dropped(), 0U);
}

TEST_F(LogRingTest, GoesOnWithAnExistingLogAndCountsIt) {
  open().write(std::string(60, 'a'));
  LogRing log = open();
  log.write(std::string(40, 'b'));
  EXPECT_EQ(now(), std::string(60, 'a') + std::string(40, 'b'));
  log.write("c");
  EXPECT_EQ(before().size(), kHalf);
  EXPECT_EQ(now(), "c");
}

TEST_F(LogRingTest, TurnsAnExistingLogOverThatIsLargerThanItsShare) {
  open(1000).write(std::string(900, 'a'));
  LogRing log = open();
  log.write("b");
  EXPECT_EQ(before().size(), 900U);
  EXPECT_EQ(now(), "b");
}

TEST_F(LogRingTest, CountsWhatTheDiskRefuses) {
  LogRing log = open(10'000);
  {
    const testing::FileSizeLimit disk(1000);
    log.write(std::string(600, 'a'));
    log.write(std::string(600, 'b'));
    log.write(std::string(600, 'c'));
  }
  EXPECT_EQ(now(), std::string(600, 'a') + std::string(400, 'b'));
  EXPECT_EQ(log.dropped(), 800U);
  log.write("d");
  EXPECT_EQ(now().back(), 'd') << "it goes on once there is room";
  EXPECT_EQ(log.dropped(), 800U);
}

TEST_F(LogRingTest, DropsRatherThanGrowWhereItCannotTurnOver) {
  LogRing log = open();
  log.write(std::string(kHalf, 'a'));
  ASSERT_THAT(posix::make_directories(path_ + ".1/in the way", 0700), is_ok());
  log.write("bcd");
  EXPECT_EQ(now(), std::string(kHalf, 'a'));
  EXPECT_EQ(log.dropped(), 3U);
  ASSERT_THAT(posix::remove_tree(path_ + ".1"), is_ok());
  log.write("e");
  EXPECT_EQ(now(), "e");
  EXPECT_EQ(log.dropped(), 3U);
}

TEST_F(LogRingTest, FollowsNoLinkAndNeedsItsDirectory) {
  ASSERT_THAT(posix::open(directory_ / "other", O_CREAT | O_WRONLY, 0600), is_ok());
  ASSERT_EQ(::symlink("other", path_.c_str()), 0);
  EXPECT_FALSE(LogRing::open(path_, kHalf));
  EXPECT_THAT(LogRing::open(directory_ / "none/console.log", kHalf), is_error(Kind::NotFound, "none"));
}

}  // namespace
}  // namespace umlfarm::guest
