// A client of bytes: whatever no proper client sends.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "provisioner/base/unique_fd.h"

namespace umlfarm::api {

inline sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

class RawPeer {
 public:
  explicit RawPeer(const std::string& path) : RawPeer() { connect(path); }
  RawPeer() : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    // Where nothing comes for so long, nothing will.
    const timeval patience{60, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }

  void connect(const std::string& path) {
    const sockaddr_un address = address_of(path);
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0)
        << std::strerror(errno);
  }

  int fd() const { return fd_.get(); }

  // False when the other side has closed.
  bool send(std::string_view data) {
    while (!data.empty()) {
      const ssize_t put = ::send(fd_.get(), data.data(), data.size(), MSG_NOSIGNAL);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) {
        EXPECT_TRUE(errno == EPIPE || errno == ECONNRESET) << std::strerror(errno);
        return false;
      }
      data.remove_prefix(static_cast<std::size_t>(put));
    }
    return true;
  }

  // What comes up to and with the mark; all of it where the other side closes before.
  std::string until(const std::string& mark) {
    for (;;) {
      const std::size_t at = mark.empty() ? std::string::npos : unread_.find(mark);
      if (at != std::string::npos) return take(at + mark.size());
      if (!receive()) return take(unread_.size());
    }
  }
  // What comes until the other side closes.
  std::string rest() { return until(""); }
  // One answer of JSON, which ends with the only newline that has no carriage return.
  std::string answer() {
    const std::string head = until("\r\n\r\n");
    return head + until("\n");
  }

  void end_sending() { ::shutdown(fd_.get(), SHUT_WR); }
  void hang_up() { fd_.reset(); }

 private:
  bool receive() {
    std::array<char, 65536> buffer;
    ssize_t got = 0;
    do {
      got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    } while (got < 0 && errno == EINTR);
    if (got > 0) unread_.append(buffer.data(), static_cast<std::size_t>(got));
    // A peer that closes with bytes unread resets the connection.
    if (got < 0) {
      EXPECT_EQ(errno, ECONNRESET) << std::strerror(errno);
    }
    return got > 0;
  }
  std::string take(std::size_t size) {
    std::string taken = unread_.substr(0, size);
    unread_.erase(0, size);
    return taken;
  }

  UniqueFd fd_;
  std::string unread_;
};

// "200" of "HTTP/1.1 200 OK".
inline std::string status_of(const std::string& answer) {
  return answer.starts_with("HTTP/1.") && answer.size() >= 12 ? answer.substr(9, 3) : "none in: " + answer;
}

}  // namespace umlfarm::api
