#include "provisioner/daemon/log_reader.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "provisioner/base/posix.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::daemon {
namespace {

using testing::is_ok;

class LogReaderTest : public ::testing::Test {
 protected:
  void append(const std::string& text) {
    const auto file = posix::open(path_, O_WRONLY | O_CREAT | O_APPEND, 0600);
    ASSERT_THAT(file, is_ok());
    ASSERT_THAT(posix::write_all(file->get(), text), is_ok());
  }
  // As a supervisor does it, which then begins a new log with its next words.
  void rotate() { ASSERT_EQ(std::rename(path_.c_str(), (path_ + ".1").c_str()), 0); }

  static std::string got(const Result<std::string>& text) {
    EXPECT_THAT(text, is_ok());
    return text.value_or(std::string("unreadable"));
  }

  testing::TemporaryDirectory directory_;
  std::string path_ = directory_ / "console.log";
  LogReader reader_{path_};
};

TEST_F(LogReaderTest, ReadsWhatWasRotatedAwayAndThenTheLog) {
  append("old\n");
  rotate();
  append("new\n");
  EXPECT_EQ(got(reader_.everything()), "old\nnew\n");
}

TEST_F(LogReaderTest, GivesWhatWasAddedOnce) {
  append("one\n");
  EXPECT_EQ(got(reader_.everything()), "one\n");
  EXPECT_EQ(got(reader_.more()), "");
  append("two");
  append(" three\n");
  EXPECT_EQ(got(reader_.more()), "two three\n");
  EXPECT_EQ(got(reader_.more()), "");
}

TEST_F(LogReaderTest, WaitsForALogThatIsNotThereYet) {
  EXPECT_EQ(got(reader_.everything()), "");
  EXPECT_EQ(got(reader_.more()), "");
  append("first\n");
  EXPECT_EQ(got(reader_.more()), "first\n");
}

TEST_F(LogReaderTest, ReadsTheOldLogToItsEndBeforeTheNewOne) {
  append("a");
  EXPECT_EQ(got(reader_.everything()), "a");
  append("b");
  rotate();
  append("c");
  EXPECT_EQ(got(reader_.more()), "bc");
  append("d");
  EXPECT_EQ(got(reader_.more()), "d");
}

TEST_F(LogReaderTest, StaysWithTheOldLogUntilThereIsANewOne) {
  append("a");
  EXPECT_EQ(got(reader_.everything()), "a");
  append("b");
  rotate();
  EXPECT_EQ(got(reader_.more()), "b");
  EXPECT_EQ(got(reader_.more()), "");
  append("c");
  EXPECT_EQ(got(reader_.more()), "c");
}

TEST_F(LogReaderTest, LosesAndRepeatsNothingOverManyRotations) {
  std::string written;
  std::string read;
  for (int i = 0; i < 200; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    append(line);
    written += line;
    if (i % 7 == 6) rotate();
    if (i % 5 == 4) read += got(reader_.more());
  }
  read += got(reader_.more());
  EXPECT_EQ(read, written);
}

TEST_F(LogReaderTest, FailsOnALogThatCannotBeRead) {
  ASSERT_THAT(posix::make_directories(path_, 0700), is_ok());
  EXPECT_FALSE(reader_.everything());
}

}  // namespace
}  // namespace umlfarm::daemon
