#include "provisioner/base/atomic_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/support/file_size_limit.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm {
namespace {

using testing::is_error;
using testing::is_ok;
using Names = std::vector<std::string>;

class WriteFileAtomically : public ::testing::Test {
 protected:
  std::string content() const { return posix::read_file(path_).value_or("(none)"); }
  Names names() const { return posix::list_directory(directory_.path()).value_or(Names()); }

  const testing::TemporaryDirectory directory_;
  const std::string path_ = directory_ / "f";
};

TEST_F(WriteFileAtomically, MakesAFileOfTheModeAskedForWhateverTheUmask) {
  const mode_t before = ::umask(077);
  const Status written = write_file_atomically(path_, "new", 0644);
  ::umask(before);
  ASSERT_THAT(written, is_ok());
  EXPECT_EQ(content(), "new");
  EXPECT_EQ(posix::stat(path_)->st_mode & 07777, 0644U);
  EXPECT_EQ(names(), Names{"f"});
}

TEST_F(WriteFileAtomically, ReplacesContentAndMode) {
  ASSERT_THAT(write_file_atomically(path_, "a longer old text", 0644), is_ok());
  ASSERT_THAT(write_file_atomically(path_, "new", 0600), is_ok());
  EXPECT_EQ(content(), "new");
  EXPECT_EQ(posix::stat(path_)->st_mode & 07777, 0600U);
}

TEST_F(WriteFileAtomically, WritesNothingAndEveryByte) {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  for (const std::string& data : {std::string(), every}) {
    ASSERT_THAT(write_file_atomically(path_, data, 0600), is_ok());
    EXPECT_EQ(content(), data);
  }
}

TEST_F(WriteFileAtomically, GivesReadersTheOldOrTheNew) {
  const std::string old(100'000, 'o');
  const std::string next(200'000, 'n');
  ASSERT_THAT(write_file_atomically(path_, old, 0600), is_ok());
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; i < 20; ++i) {
      EXPECT_THAT(write_file_atomically(path_, i % 2 == 0 ? next : old, 0600), is_ok());
    }
    done = true;
  });
  while (!done) {
    const std::string seen = content();
    EXPECT_TRUE(seen == old || seen == next) << seen.size() << " bytes";
  }
  writer.join();
  EXPECT_EQ(content(), old);
}

TEST_F(WriteFileAtomically, KeepsTheOldFileWhenItDoesNotFit) {
  ASSERT_THAT(write_file_atomically(path_, "old", 0640), is_ok());
  {
    const testing::FileSizeLimit limit(1000);
    EXPECT_THAT(write_file_atomically(path_, std::string(5000, 'x'), 0600), is_error(Kind::Internal, path_));
  }
  EXPECT_EQ(content(), "old");
  EXPECT_EQ(posix::stat(path_)->st_mode & 07777, 0640U);
  EXPECT_EQ(names(), Names{"f"});
}

TEST_F(WriteFileAtomically, KeepsTheOldFileWhenThereIsNoPlaceForTheNew) {
  ASSERT_THAT(write_file_atomically(path_, "old", 0640), is_ok());
  ASSERT_THAT(posix::make_directories(path_ + ".new", 0755), is_ok());
  EXPECT_THAT(write_file_atomically(path_, "new", 0640), is_error(Kind::Invalid, path_));
  EXPECT_EQ(content(), "old");
}

TEST_F(WriteFileAtomically, LeavesNothingBesideADirectoryThatItCannotReplace) {
  ASSERT_THAT(posix::make_directories(path_ + "/full", 0755), is_ok());
  EXPECT_THAT(write_file_atomically(path_, "new", 0640), is_error(Kind::Invalid, path_));
  EXPECT_EQ(names(), Names{"f"});
  EXPECT_TRUE(posix::exists(path_ + "/full"));
}

TEST_F(WriteFileAtomically, SucceedsAfterOneThatWasCutShort) {
  ASSERT_THAT(write_file_atomically(path_ + ".new", "half of somethi", 0600), is_ok());
  ASSERT_THAT(write_file_atomically(path_, "new", 0644), is_ok());
  EXPECT_EQ(content(), "new");
  EXPECT_EQ(posix::stat(path_)->st_mode & 07777, 0644U);
  EXPECT_EQ(names(), Names{"f"});
}

TEST_F(WriteFileAtomically, DoesNotWriteThroughALinkInItsWay) {
  ASSERT_THAT(write_file_atomically(directory_ / "other", "kept", 0600), is_ok());
  ASSERT_EQ(::symlink("other", (path_ + ".new").c_str()), 0);
  EXPECT_FALSE(write_file_atomically(path_, "new", 0644));
  EXPECT_EQ(posix::read_file(directory_ / "other").value_or(""), "kept");
  EXPECT_EQ(posix::stat(directory_ / "other")->st_mode & 07777, 0600U);
}

TEST_F(WriteFileAtomically, ReplacesALinkRatherThanWhatItNames) {
  ASSERT_THAT(write_file_atomically(directory_ / "other", "kept", 0600), is_ok());
  ASSERT_EQ(::symlink("other", path_.c_str()), 0);
  ASSERT_THAT(write_file_atomically(path_, "new", 0644), is_ok());
  EXPECT_EQ(content(), "new");
  EXPECT_EQ(posix::read_file(directory_ / "other").value_or(""), "kept");
}

TEST_F(WriteFileAtomically, NamesADirectoryThatIsMissing) {
  EXPECT_THAT(write_file_atomically(directory_ / "nowhere/f", "new", 0600),
              is_error(Kind::NotFound, directory_ / "nowhere/f"));
}

}  // namespace
}  // namespace umlfarm
