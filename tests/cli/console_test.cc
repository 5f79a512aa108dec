// The login console, on a real terminal.
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "tests/support/test_farm.h"

namespace umlfarm::testing {
namespace {

// `umlfarm console` with a terminal of its own.
class Terminal {
 public:
  Terminal(const TestFarm& farm, const std::string& guest) {
    const std::string program = std::string(UMLFARM_BUILD_DIRECTORY) + "/provisioner/cli/umlfarm";
    const winsize size{37, 101, 0, 0};
    int master = -1;
    child_ = ::forkpty(&master, nullptr, nullptr, &size);
    if (child_ == 0) {
      ::execl(program.c_str(), "umlfarm", "--socket", farm.socket().c_str(), "console", guest.c_str(),
              nullptr);
      ::_exit(127);
    }
    master_ = UniqueFd(master);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      wait_for_end(child_);
    }
  }

  void type(const std::string& text) { EXPECT_TRUE(posix::write_all(master_.get(), text)); }

  bool shows(const std::string& text) {
    return eventually(
        [&] {
          read();
          return seen_.find(text) != std::string::npos;
        },
        20);
  }
  const std::string& seen() const { return seen_; }

  int exit_code() {
    int status = -1;
    const bool ended = eventually(
        [&] {
          read();
          return ::waitpid(child_, &status, WNOHANG) == child_;
        },
        20);
    if (ended) child_ = -1;
    return ended && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  void read() {
    pollfd watched{master_.get(), POLLIN, 0};
    std::array<char, 4096> buffer;
    while (::poll(&watched, 1, 0) > 0) {
      const ssize_t size = ::read(master_.get(), buffer.data(), buffer.size());
      if (size <= 0) return;
      seen_.append(buffer.data(), static_cast<std::size_t>(size));
    }
  }

  pid_t child_ = -1;
  UniqueFd master_;
  std::string seen_;
};

TEST(Console, LogsInAndLeavesByTheKeyThatItNames) {
  const TestFarm farm;
  farm.create("alice");
  Terminal terminal(farm, "alice");
  ASSERT_TRUE(terminal.shows("Ctrl-] leaves it")) << terminal.seen();
  terminal.type("\n");
  ASSERT_TRUE(terminal.shows("# ")) << terminal.seen();
  terminal.type("echo sum $((1200 + 34))\n");
  EXPECT_TRUE(terminal.shows("sum 1234")) << terminal.seen();
  terminal.type("\x1d");
  EXPECT_EQ(terminal.exit_code(), 0) << terminal.seen();
  EXPECT_NE(terminal.seen().find("left the console of alice"), std::string::npos);
  // What was typed and shown is in the log, too.
  EXPECT_NE(farm.ok({"logs", "alice"}).find("sum 1234"), std::string::npos);
}

TEST(Console, IsSharedByTwo) {
  const TestFarm farm;
  farm.create("alice");
  Terminal first(farm, "alice");
  Terminal second(farm, "alice");
  ASSERT_TRUE(first.shows("leaves it"));
  ASSERT_TRUE(second.shows("leaves it"));
  first.type("\n");
  // What is typed before a login is thrown away by it.
  ASSERT_TRUE(first.shows("# ")) << first.seen();
  first.type("echo seen-by-$((1 + 1))\n");
  EXPECT_TRUE(first.shows("seen-by-2")) << first.seen();
  EXPECT_TRUE(second.shows("seen-by-2")) << second.seen();
}

TEST(Console, EndsWithItsGuest) {
  const TestFarm farm;
  farm.create("alice");
  Terminal terminal(farm, "alice");
  ASSERT_TRUE(terminal.shows("leaves it"));
  farm.ok({"stop", "alice"});
  EXPECT_EQ(terminal.exit_code(), 0) << terminal.seen();
}

TEST(Console, OfAGuestThatIsDownIsRefused) {
  const TestFarm farm;
  farm.create("alice");
  farm.ok({"stop", "alice"});
  const Ran ran = farm.umlfarm({"console", "alice"});
  EXPECT_EQ(ran.code, 8);
  EXPECT_NE(ran.err.find("start it first"), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace umlfarm::testing
