#include "guest/supervisor/console.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "tests/guest/supervisor/terminal.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::guest {
namespace {

using testing::is_error;
using testing::is_ok;

class GuestConsole : public ::testing::Test {
 protected:
  GuestConsole() : console_(open()) {}

  Console open() {
    auto console = Console::open(log_);
    EXPECT_THAT(console, is_ok());
    return std::move(console).value();
  }
  std::string logged() const { return posix::read_file(log_).value_or(std::string("no log")); }

  testing::TemporaryDirectory directory_;
  const std::string log_ = directory_ / "console.log";
  Console console_;
};

TEST_F(GuestConsole, TakesLogsAndRemembersWhatTheGuestPrints) {
  make_raw(console_);
  print(console_, "login: ");
  EXPECT_EQ(take(console_, 7), "login: ");
  EXPECT_EQ(logged(), "login: ");
  EXPECT_EQ(console_.tail(), "login: ");
  EXPECT_EQ(console_.log_dropped(), 0U);
}

TEST_F(GuestConsole, IsATerminalThatEndsLinesAsTerminalsDo) {
  ASSERT_TRUE(::isatty(console_.slave()));
  print(console_, "one\ntwo\n");
  EXPECT_EQ(take(console_, 10), "one\r\ntwo\r\n");
}

TEST_F(GuestConsole, GivesNothingWhileTheGuestIsSilent) {
  EXPECT_EQ(console_.take_output(), "");
  EXPECT_EQ(console_.tail(), "");
  EXPECT_EQ(logged(), "");
}

TEST_F(GuestConsole, RemembersTheLast4KiB) {
  make_raw(console_);
  std::string all;
  for (int i = 0; i < 20; ++i) {
    const std::string piece(777, static_cast<char>('a' + i));
    print(console_, piece);
    EXPECT_EQ(take(console_, piece.size()), piece);
    all += piece;
  }
  EXPECT_EQ(console_.tail(), all.substr(all.size() - 4096));
  EXPECT_EQ(logged(), all);
}

TEST_F(GuestConsole, KeepsALogOfBoundedSize) {
  make_raw(console_);
  constexpr std::size_t kHalf = std::size_t{512} << 10U;
  const std::string piece(4000, 'x');
  for (std::size_t sent = 0; sent < 3 * kHalf; sent += piece.size()) {
    print(console_, piece);
    ASSERT_EQ(take(console_, piece.size()).size(), piece.size());
  }
  EXPECT_LE(logged().size(), kHalf);
  const auto before = posix::stat(log_ + ".1");
  ASSERT_THAT(before, is_ok());
  EXPECT_LE(before->st_size, off_t{kHalf});
  EXPECT_EQ(console_.log_dropped(), 0U);
}

TEST_F(GuestConsole, GoesOnWhenItsLogCannot) {
  make_raw(console_);
  print(console_, "0123456789");
  std::string output;
  {
    const testing::FileSizeLimit disk(4);
    output = take(console_, 10);
  }
  EXPECT_EQ(output, "0123456789");
  EXPECT_EQ(console_.tail(), "0123456789");
  EXPECT_EQ(logged(), "0123");
  EXPECT_EQ(console_.log_dropped(), 6U);
}

TEST_F(GuestConsole, GivesInputToTheGuest) {
  make_raw(console_);
  EXPECT_EQ(console_.give_input("root\r"), 5U);
  EXPECT_EQ(read_input(console_, 5), "root\r");
  EXPECT_EQ(console_.give_input(""), 0U);
}

TEST_F(GuestConsole, TakesNoMoreInputThanTheGuestHasRoomFor) {
  make_raw(console_);
  const std::string piece(4096, 'i');
  std::size_t taken = 0;
  bool full = false;
  for (int i = 0; i < 1000 && !full; ++i) {
    const std::size_t more = console_.give_input(piece);
    full = more < piece.size();
    taken += more;
  }
  ASSERT_TRUE(full);
  EXPECT_EQ(read_input(console_, taken).size(), taken);
  EXPECT_EQ(console_.give_input("!"), 1U);
  EXPECT_EQ(read_input(console_, 1), "!");
}

TEST_F(GuestConsole, HasTheUsualSizeUntilItIsResized) {
  EXPECT_EQ(window(console_), std::pair(24, 80));
  console_.resize(50, 132);
  EXPECT_EQ(window(console_), std::pair(50, 132));
}

TEST_F(GuestConsole, OutlivesWhoeverInTheGuestClosesIt) {
  make_raw(console_);
  {
    const UniqueFd guest(::fcntl(console_.slave(), F_DUPFD_CLOEXEC, 0));
    ASSERT_THAT(posix::write_all(guest.get(), "bye"), is_ok());
  }
  EXPECT_EQ(take(console_, 3), "bye");
  pollfd watched{console_.master(), POLLIN, 0};
  EXPECT_EQ(::poll(&watched, 1, 0), 0) << "no hang-up is reported";
}

TEST_F(GuestConsole, NeedsItsLog) {
  EXPECT_THAT(Console::open(directory_ / "none/console.log"), is_error(Kind::NotFound, "none"));
}

TEST_F(GuestConsole, HandsNoDescriptorToOtherPrograms) {
  for (const int fd : {console_.master(), console_.slave()}) EXPECT_EQ(::fcntl(fd, F_GETFD), FD_CLOEXEC);
}

}  // namespace
}  // namespace umlfarm::guest
