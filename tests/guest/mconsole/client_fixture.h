// A management console that tests answer by hand, and a client that asks it.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "guest/mconsole/client.h"
#include "provisioner/base/posix.h"
#include "tests/guest/mconsole/packets.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::guest::mconsole {

// A datagram socket at a path relative to the working directory.
class FakeConsole {
 public:
  struct Asked {
    std::string command;
    std::string from;
  };

  explicit FakeConsole(const std::string& path)
      : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    const sockaddr_un address = address_of(path);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }

  // The next request, if there is one.
  std::optional<Asked> asked() {
    std::array<char, 1024> packet;
    sockaddr_un from{};
    socklen_t size = sizeof from;
    const ssize_t got =
        ::recvfrom(socket_.get(), packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0) return {};
    constexpr std::size_t kHeader = 12;
    return Asked{std::string(packet.data(), static_cast<std::size_t>(got)).substr(kHeader), from.sun_path};
  }

  // False when nobody takes it.
  bool answer(const std::string& to, const std::string& packet) {
    const sockaddr_un address = address_of(to);
    return ::sendto(socket_.get(), packet.data(), packet.size(), 0,
                    reinterpret_cast<const sockaddr*>(&address), sizeof address) >= 0;
  }

 private:
  static sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
  }

  UniqueFd socket_;
};

class ClientTest : public ::testing::Test {
 protected:
  static constexpr std::int64_t kLimit = 5000;

  ClientTest()
      : before_(::open(".", O_PATH | O_CLOEXEC)),
        run_(::open(directory_.path().c_str(), O_PATH | O_CLOEXEC)) {
    EXPECT_EQ(::fchdir(run_.get()), 0);
    EXPECT_THAT(posix::make_directories("g", 0700), umlfarm::testing::is_ok());
    client_.emplace(run_.get(), "g/mconsole");
  }
  ~ClientTest() override {
    client_.reset();
    EXPECT_EQ(::fchdir(before_.get()), 0);
  }

  // Each outcome goes to outcomes_: the text, or "failed " and the text, or the error's kind.
  void ask(const std::string& command, std::int64_t limit = kLimit) {
    client_->ask(command, limit, [this](const Result<Reply>& reply) { outcomes_.push_back(outcome(reply)); });
  }

  static std::string outcome(const Result<Reply>& reply) {
    if (!reply) return std::string(kind_name(reply.error().kind()));
    return (reply->failed() ? "failed " : "") + reply->text();
  }

  // Where the console finds the client that asks this now.
  static std::string expect_asked(FakeConsole& console, const std::string& command) {
    const auto asked = console.asked();
    EXPECT_TRUE(asked) << command;
    if (!asked) return {};
    EXPECT_EQ(asked->command, command);
    return asked->from;
  }

  void expect_idle() const {
    EXPECT_EQ(client_->descriptor(), -1);
    EXPECT_FALSE(client_->next());
  }

  // What lies in the guest's /run beside the console's directory.
  static std::vector<std::string> reply_sockets() {
    auto names = posix::list_directory(".").value_or(std::vector<std::string>());
    std::erase(names, "g");
    return names;
  }

  testing::TemporaryDirectory directory_;
  UniqueFd before_;
  UniqueFd run_;
  std::optional<Client> client_;
  std::vector<std::string> outcomes_;
};

}  // namespace umlfarm::guest::mconsole
