#include "guest/supervisor/sockets.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "provisioner/base/posix.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::guest {
namespace {

using testing::is_error;
using testing::is_ok;

TEST(BindSocket, ListensAtOnceWithTheModeItWasGiven) {
  const testing::TemporaryDirectory directory;
  const mode_t before = ::umask(0);
  const auto listener = bind_socket(directory / "s", SOCK_SEQPACKET, 0600);
  EXPECT_EQ(::umask(before), 0U) << "it gives the umask back";
  ASSERT_THAT(listener, is_ok());
  EXPECT_EQ(posix::stat(directory / "s")->st_mode & 0777U, 0600U);
  EXPECT_EQ(::fcntl(listener->get(), F_GETFD), FD_CLOEXEC);
  EXPECT_THAT(connect_supervisor(directory / "s"), is_ok());
}

TEST(BindSocket, OpensADatagramSocketToAllWhateverTheUmask) {
  const testing::TemporaryDirectory directory;
  const mode_t before = ::umask(0077);
  const auto notify = bind_socket(directory / "notify", SOCK_DGRAM, 0666);
  ::umask(before);
  ASSERT_THAT(notify, is_ok());
  EXPECT_EQ(posix::stat(directory / "notify")->st_mode & 0777U, 0666U);
}

TEST(BindSocket, ReplacesAStaleSocket) {
  const testing::TemporaryDirectory directory;
  ASSERT_THAT(bind_socket(directory / "s", SOCK_SEQPACKET, 0600), is_ok());
  EXPECT_THAT(connect_supervisor(directory / "s"), is_error(Kind::Unavailable, "connect"));
  const auto fresh = bind_socket(directory / "s", SOCK_SEQPACKET, 0600);
  ASSERT_THAT(fresh, is_ok());
  EXPECT_THAT(connect_supervisor(directory / "s"), is_ok());
}

TEST(BindSocket, RefusesAPathThatTheKernelCannotHold) {
  const testing::TemporaryDirectory directory;
  std::string longest = directory / "x";
  longest.resize(107, 'x');
  EXPECT_THAT(bind_socket(longest, SOCK_SEQPACKET, 0600), is_ok());
  EXPECT_THAT(bind_socket(longest + "x", SOCK_SEQPACKET, 0600), is_error(Kind::Invalid, "108"));
  EXPECT_THAT(connect_supervisor(longest + "x"), is_error(Kind::Invalid, "108"));
}

TEST(BindSocket, NeedsItsDirectory) {
  const testing::TemporaryDirectory directory;
  EXPECT_THAT(bind_socket(directory / "none/s", SOCK_SEQPACKET, 0600), is_error(Kind::NotFound, "none"));
}

TEST(ConnectSupervisor, IsUnavailableWhereNoneListens) {
  const testing::TemporaryDirectory directory;
  EXPECT_THAT(connect_supervisor(directory / "s"), is_error(Kind::Unavailable, "connect"));
  const auto datagrams = bind_socket(directory / "d", SOCK_DGRAM, 0600);
  ASSERT_THAT(datagrams, is_ok());
  EXPECT_THAT(connect_supervisor(directory / "d"), is_error(Kind::Unavailable, "connect"));
}

}  // namespace
}  // namespace umlfarm::guest
