// The guest's end of a console, as a guest would use it.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>

#include "guest/supervisor/console.h"
#include "provisioner/base/posix.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::guest {

// A terminal hands data over in its own time. These wait for it, and give up only when the test has failed.
inline constexpr int kGiveUpMs = 20'000;

inline bool readable(int fd, int limit_ms = kGiveUpMs) {
  pollfd watched{fd, POLLIN, 0};
  return ::poll(&watched, 1, limit_ms) == 1;
}

// Bytes pass unchanged, and nothing is echoed.
inline void make_raw(const Console& console) {
  termios settings{};
  ASSERT_EQ(::tcgetattr(console.slave(), &settings), 0);
  ::cfmakeraw(&settings);
  ASSERT_EQ(::tcsetattr(console.slave(), TCSANOW, &settings), 0);
}

inline void print(const Console& console, std::string_view text) {
  ASSERT_THAT(posix::write_all(console.slave(), text), testing::is_ok());
}

// Until `size` bytes have come.
inline std::string take(Console& console, std::size_t size) {
  std::string output;
  while (output.size() < size && readable(console.master())) output += console.take_output();
  return output;
}

inline std::string read_input(const Console& console, std::size_t size) {
  std::string input;
  std::array<char, 4096> buffer;
  while (input.size() < size && readable(console.slave())) {
    const ssize_t got = ::read(console.slave(), buffer.data(), buffer.size());
    if (got <= 0) break;
    input.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return input;
}

inline std::pair<int, int> window(const Console& console) {
  winsize size{};
  EXPECT_EQ(::ioctl(console.slave(), TIOCGWINSZ, &size), 0);
  return {size.ws_row, size.ws_col};
}

}  // namespace umlfarm::guest
