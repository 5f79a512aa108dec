#include "provisioner/base/posix.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <climits>
#include <thread>

#include "provisioner/base/atomic_file.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm {
namespace {

using testing::is_error;
using testing::is_ok;
using Names = std::vector<std::string>;

class Posix : public ::testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& content) const {
    EXPECT_THAT(write_file_atomically(directory_ / name, content, 0600), is_ok());
    return directory_ / name;
  }
  mode_t mode_of(const std::string& name) const { return posix::stat(directory_ / name)->st_mode & 07777; }

  const testing::TemporaryDirectory directory_;
};

using Open = Posix;
using ReadFile = Posix;
using WriteAll = Posix;
using ReadAndWriteAt = Posix;
using WriteExisting = Posix;
using MakeDirectories = Posix;
using ListDirectory = Posix;
using Exists = Posix;
using RemoveFile = Posix;

TEST_F(Open, ClosesOnExecAndKeepsTheFlagsAskedFor) {
  const auto fd = posix::open(file("f", "x"), O_RDWR | O_APPEND);
  ASSERT_THAT(fd, is_ok());
  EXPECT_EQ(::fcntl(fd->get(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(::fcntl(fd->get(), F_GETFL) & (O_ACCMODE | O_APPEND), O_RDWR | O_APPEND);
}

TEST_F(Open, IsRelativeToADirectory) {
  file("f", "x");
  const auto directory = posix::open(directory_.path(), O_RDONLY | O_DIRECTORY);
  ASSERT_THAT(directory, is_ok());
  const auto fd = posix::open_at(directory->get(), "f", O_RDONLY);
  ASSERT_THAT(fd, is_ok());
  EXPECT_EQ(::fcntl(fd->get(), F_GETFD), FD_CLOEXEC);
  EXPECT_THAT(posix::open_at(directory->get(), "g", O_RDONLY), is_error(Kind::NotFound, "g"));
}

TEST_F(Open, NamesThePathAndTheReason) {
  const auto missing = posix::open(directory_ / "missing", O_RDONLY);
  EXPECT_THAT(missing, is_error(Kind::NotFound, directory_ / "missing"));
  EXPECT_EQ(missing.error().code(), std::errc::no_such_file_or_directory);
  file("f", "x");
  EXPECT_THAT(posix::open(directory_ / "f", O_WRONLY | O_CREAT | O_EXCL, 0600),
              is_error(Kind::Conflict, directory_ / "f"));
  EXPECT_THAT(posix::open(directory_ / "f/below", O_RDONLY), is_error(Kind::Invalid, "f/below"));
}

TEST_F(ReadFile, RefusesMoreThanTheLimit) {
  const std::string path = file("f", std::string(100, 'x'));
  EXPECT_THAT(posix::read_file(path, 99), is_error(Kind::Invalid, "99"));
  EXPECT_THAT(posix::read_file(path, 99), is_error(Kind::Invalid, path));
  EXPECT_EQ(posix::read_file(path, 100).value_or(""), std::string(100, 'x'));
  EXPECT_EQ(posix::read_file(file("empty", ""), 0).value_or("?"), "");
}

TEST_F(ReadFile, ReadsWhatHasNoSize) {
  const auto shown = posix::read_file("/proc/self/stat");
  ASSERT_THAT(shown, is_ok());
  EXPECT_TRUE(shown->starts_with(std::to_string(::getpid()) + " "));
}

TEST_F(ReadFile, NamesWhatItCannotRead) {
  EXPECT_THAT(posix::read_file(directory_ / "missing"), is_error(Kind::NotFound, directory_ / "missing"));
  EXPECT_THAT(posix::read_file(directory_.path()), is_error(Kind::Invalid, directory_.path()));
}

TEST_F(WriteAll, GoesOnWhereTheKernelTakesLess) {
  // Many times a pipe's size.
  const std::string data(1U << 20U, 'x');
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd output(ends[0]);
  UniqueFd input(ends[1]);
  std::thread writer([&] {
    EXPECT_THAT(posix::write_all(input.get(), data), is_ok());
    input.reset();
  });
  const auto got = posix::read_all(output.get(), data.size());
  writer.join();
  ASSERT_THAT(got, is_ok());
  EXPECT_EQ(*got, data);
}

TEST_F(WriteAll, FailsWhereNothingCanBeWritten) {
  const auto fd = posix::open("/dev/full", O_WRONLY);
  ASSERT_THAT(fd, is_ok());
  EXPECT_THAT(posix::write_all(fd->get(), "x"), is_error(Kind::QuotaExceeded, "write"));
  EXPECT_THAT(posix::write_all(fd->get(), ""), is_ok());
}

TEST_F(ReadAndWriteAt, KeepToTheirOffset) {
  const auto fd = posix::open(file("f", "0123456789"), O_RDWR);
  ASSERT_THAT(fd, is_ok());
  const std::array<std::uint8_t, 3> put{'a', 'b', 'c'};
  ASSERT_THAT(posix::pwrite_all(fd->get(), put, 4), is_ok());
  std::array<std::uint8_t, 3> got{};
  ASSERT_THAT(posix::pread_all(fd->get(), got, 4), is_ok());
  EXPECT_EQ(got, put);
  EXPECT_EQ(posix::read_file(directory_ / "f").value_or(""), "0123abc789");
}

TEST_F(ReadAndWriteAt, RefuseAFileThatEndsTooSoon) {
  const auto fd = posix::open(file("f", "0123456789"), O_RDONLY);
  ASSERT_THAT(fd, is_ok());
  std::array<std::uint8_t, 4> got{};
  EXPECT_THAT(posix::pread_all(fd->get(), got, 6), is_ok());
  EXPECT_THAT(posix::pread_all(fd->get(), got, 7), is_error(Kind::Invalid, "10"));
}

TEST_F(WriteExisting, WritesToWhatIsThereAndMakesNothing) {
  const std::string path = file("f", "----");
  ASSERT_THAT(posix::write_existing(path, "42"), is_ok());
  EXPECT_EQ(posix::read_file(path).value_or(""), "42--");
  EXPECT_THAT(posix::write_existing(directory_ / "missing", "42"), is_error(Kind::NotFound, "missing"));
  EXPECT_FALSE(posix::exists(directory_ / "missing"));
  EXPECT_THAT(posix::write_existing("/dev/full", "42"), is_error(Kind::QuotaExceeded, "'42' to /dev/full"));
}

TEST_F(MakeDirectories, GivesAllThatItMakesTheMode) {
  const mode_t before = ::umask(022);
  const Status made = posix::make_directories(directory_ / "a/b/c", 0750);
  ::umask(before);
  ASSERT_THAT(made, is_ok());
  for (const char* name : {"a", "a/b", "a/b/c"}) EXPECT_EQ(mode_of(name), 0750U) << name;
}

TEST_F(MakeDirectories, LeavesWhatIsThereAsItIs) {
  ASSERT_THAT(posix::make_directories(directory_ / "a", 0700), is_ok());
  ASSERT_THAT(posix::make_directories(directory_ / "a/b", 0750), is_ok());
  ASSERT_THAT(posix::make_directories(directory_ / "a/b", 0711), is_ok());
  EXPECT_EQ(mode_of("a"), 0700U);
  EXPECT_EQ(mode_of("a/b"), 0750U);
}

TEST_F(MakeDirectories, TakesASlashAtTheEndAndALinkOnTheWay) {
  ASSERT_THAT(posix::make_directories(directory_ / "real/", 0700), is_ok());
  ASSERT_EQ(::symlink("real", (directory_ / "link").c_str()), 0);
  ASSERT_THAT(posix::make_directories(directory_ / "link/below", 0700), is_ok());
  EXPECT_TRUE(posix::exists(directory_ / "real/below"));
}

TEST_F(MakeDirectories, RefusesAFileInTheWay) {
  file("f", "x");
  EXPECT_THAT(posix::make_directories(directory_ / "f", 0700), is_error(Kind::Conflict, directory_ / "f"));
  EXPECT_THAT(posix::make_directories(directory_ / "f/below", 0700),
              is_error(Kind::Invalid, directory_ / "f/below"));
}

TEST_F(ListDirectory, IsSortedAndHoldsAllButItselfAndItsParent) {
  for (const char* name : {"b", "a10", "a2", ".hidden", "..odd", "B"}) file(name, "");
  ASSERT_THAT(posix::make_directories(directory_ / "c", 0700), is_ok());
  const auto names = posix::list_directory(directory_.path());
  ASSERT_THAT(names, is_ok());
  EXPECT_EQ(*names, (Names{"..odd", ".hidden", "B", "a10", "a2", "b", "c"}));
  EXPECT_EQ(posix::list_directory(directory_ / "c").value_or(Names{"?"}), Names());
}

TEST_F(ListDirectory, NamesWhatItCannotList) {
  EXPECT_THAT(posix::list_directory(directory_ / "missing"), is_error(Kind::NotFound, "missing"));
  EXPECT_THAT(posix::list_directory(file("f", "")), is_error(Kind::Invalid, "f"));
}

TEST_F(Exists, FollowsLinks) {
  file("f", "");
  ASSERT_EQ(::symlink("f", (directory_ / "link").c_str()), 0);
  ASSERT_EQ(::symlink("nowhere", (directory_ / "dangling").c_str()), 0);
  EXPECT_TRUE(posix::exists(directory_ / "f"));
  EXPECT_TRUE(posix::exists(directory_ / "link"));
  EXPECT_FALSE(posix::exists(directory_ / "dangling"));
  EXPECT_FALSE(posix::exists(directory_ / "missing"));
  EXPECT_THAT(posix::stat(directory_ / "dangling"), is_error(Kind::NotFound, "dangling"));
}

TEST_F(RemoveFile, RemovesAFileOrLinkAndNoDirectory) {
  file("f", "");
  ASSERT_EQ(::symlink("f", (directory_ / "link").c_str()), 0);
  EXPECT_THAT(posix::remove_file(directory_ / "link"), is_ok());
  EXPECT_TRUE(posix::exists(directory_ / "f"));
  EXPECT_THAT(posix::remove_file(directory_ / "f"), is_ok());
  EXPECT_THAT(posix::remove_file(directory_ / "f"), is_ok());
  ASSERT_THAT(posix::make_directories(directory_ / "d", 0700), is_ok());
  EXPECT_THAT(posix::remove_file(directory_ / "d"), is_error(Kind::Invalid, directory_ / "d"));
  EXPECT_TRUE(posix::exists(directory_ / "d"));
}

TEST_F(Posix, SyncsDirectoriesAlone) {
  EXPECT_THAT(posix::sync_directory(directory_.path()), is_ok());
  EXPECT_THAT(posix::sync_directory(file("f", "")), is_error(Kind::Invalid, "f"));
  EXPECT_THAT(posix::sync_directory(directory_ / "missing"), is_error(Kind::NotFound, "missing"));
}

}  // namespace
}  // namespace umlfarm
