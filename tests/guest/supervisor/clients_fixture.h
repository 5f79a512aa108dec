// A supervisor's socket with a supervisor behind it that only remembers what it was asked.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <optional>
#include <string>
#include <vector>

#include "guest/supervisor/clients.h"
#include "guest/supervisor/sockets.h"
#include "tests/guest/supervisor/terminal.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::guest {

class FakeTarget final : public ControlTarget {
 public:
  explicit FakeTarget(Console console) : console_(std::move(console)) {}

  SupervisorStatus status() const override { return status_; }
  void mconsole(const std::string& command, mconsole::Client::Done done) override {
    asked_.push_back("mconsole " + command);
    answers_.push_back(std::move(done));
  }
  void stop(std::int64_t patience) override { asked_.push_back("stop " + std::to_string(patience)); }
  void kill() override { asked_.emplace_back("kill"); }
  Console& console() override { return console_; }

  SupervisorStatus status_;
  std::vector<std::string> asked_;
  std::vector<mconsole::Client::Done> answers_;
  Console console_;
};

class ClientsTest : public ::testing::Test {
 protected:
  ClientsTest()
      : target_(Console::open(directory_ / "console.log").value()),
        clients_(bind_socket(path_, SOCK_SEQPACKET, 0600).value(), target_) {
    make_raw(target_.console_);
  }

  // Serves whatever is waiting now. True when there was something.
  bool turn() {
    std::vector<pollfd> watched;
    clients_.watch(watched);
    const int ready = ::poll(watched.data(), watched.size(), 0);
    clients_.serve(watched);
    return ready > 0;
  }

  UniqueFd connect() {
    auto socket = connect_supervisor(path_);
    EXPECT_THAT(socket, testing::is_ok());
    turn();
    return std::move(socket).value();
  }

  void say(const UniqueFd& client, const std::string& packet) {
    EXPECT_EQ(::send(client.get(), packet.data(), packet.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(packet.size()));
    turn();
  }

  // One packet. Nothing while there is none; "gone" once the supervisor has hung up.
  static std::optional<std::string> hear(const UniqueFd& client) {
    std::string packet(kMostPacket, '\0');
    const ssize_t size = ::recv(client.get(), packet.data(), packet.size(), MSG_DONTWAIT);
    if (size < 0) return {};
    if (size == 0) return "gone";
    packet.resize(static_cast<std::size_t>(size));
    return packet;
  }

  std::string ask(const UniqueFd& client, const std::string& packet) {
    say(client, packet);
    return hear(client).value_or("no answer");
  }

  // What the supervisor does when the guest has printed.
  void guest_prints(const std::string& text) {
    print(target_.console_, text);
    clients_.on_console_output(take(target_.console_, text.size()));
  }

  std::size_t connected() const {
    std::vector<pollfd> watched;
    clients_.watch(watched);
    return watched.size() - 1;
  }

  testing::TemporaryDirectory directory_;
  const std::string path_ = directory_ / "supervisor.sock";
  FakeTarget target_;
  Clients clients_;
};

}  // namespace umlfarm::guest
