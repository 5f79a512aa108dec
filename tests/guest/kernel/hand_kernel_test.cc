// What our patches are for in what a host asks of a guest's kernel: its end, and its management console.
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "guest/mconsole/protocol.h"
#include "tests/support/hand_guest.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/test_farm.h"

namespace umlfarm::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace mconsole = guest::mconsole;

class HandKernel : public ::testing::TestWithParam<const char*> {
 protected:
  // With a shell that says `words` as init.
  HandGuest start(const std::string& words, std::vector<std::string> more = {}, bool as_init = false,
                  const char* memory = "mem=32M") {
    HandStart start{built_kernel(GetParam()) + "/linux", built_image("tiny") + "/root.img", std::move(more),
                    memory};
    start.fixed_addresses = true;
    start.as_init = as_init;
    const std::vector<std::string> shell = shell_as_init(words);
    start.more.insert(start.more.end(), shell.begin(), shell.end());
    directory_.emplace();
    return {start, directory_->path()};
  }

  int code_after(const std::string& words) { return start(words, {"noreboot"}).wait_for_end(); }

  std::string console() const { return *directory_ / "g/mconsole"; }

  std::optional<TemporaryDirectory> directory_;
};

INSTANTIATE_TEST_SUITE_P(Each, HandKernel, ::testing::Values("strict", "fast"),
                         [](const auto& flavour) { return flavour.param; });

TEST_P(HandKernel, TellsHowItEnded) {
  EXPECT_EQ(code_after("poweroff -f"), 0);
  EXPECT_EQ(code_after("halt -f"), 2);
  EXPECT_EQ(code_after("reboot -f"), 3);
  EXPECT_EQ(code_after("exit 1"), 128 + SIGABRT);
  EXPECT_EQ(code_after("mount -t proc proc /proc; echo 7 >/proc/exitcode; halt -f"), 7);
}

TEST_P(HandKernel, PowersOffWhileSignalsArrive) {
  // One in three fell over it.
  constexpr int kTimes = 15;
  for (int i = 0; i < kTimes; ++i) {
    HandGuest guest = start("echo it ends; poweroff -f");
    ASSERT_GE(guest.wait_for("\nit ends"), 0) << guest.output();
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (guest.signal(SIGIO) && std::chrono::steady_clock::now() < patience)
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    ASSERT_EQ(guest.wait_for_end(), 0) << guest.output();
  }
}

TEST_P(HandKernel, AsksItsInitToEndOnSigterm) {
  // As an init does that wants to be asked, and one that does not listen.
  HandGuest guest = start(
      "mount -t proc proc /proc; echo 0 >/proc/sys/kernel/ctrl-alt-del; trap 'echo it was asked' INT; "
      "echo it is up; while :; do sleep 1; done");
  ASSERT_GE(guest.wait_for("\nit is up"), 0) << guest.output();
  EXPECT_TRUE(guest.signal(SIGTERM));
  ASSERT_GE(guest.wait_for("\nit was asked"), 0) << guest.output();
  EXPECT_TRUE(guest.signal(SIGTERM));
  EXPECT_EQ(guest.wait_for_end(), 1) << guest.output();
}

TEST_P(HandKernel, EndsOnAPanicAsInit) {
  HandGuest guest = start("exit 1", {}, true);
  EXPECT_EQ(guest.wait_for_end(), 128 + SIGABRT) << guest.output();
  EXPECT_THAT(guest.output(), HasSubstr("Kernel panic"));
}

TEST_P(HandKernel, BootsWithoutADirectoryForItsUmid) {
  HandGuest guest = start("echo it boots; poweroff -f", {"uml_dir=/proc/none"});
  EXPECT_EQ(guest.wait_for_end(), 0) << guest.output();
  EXPECT_THAT(guest.output(), HasSubstr("Failed to mkdir '/proc/none/'"));
  EXPECT_THAT(guest.output(), HasSubstr("\nit boots"));
}

// More memory than the host has, too: what a guest does not touch is not there.
TEST_P(HandKernel, CarriesSixteenDisksSixtyFourInterfacesAnd64GiB) {
  const TemporaryDirectory files;
  std::vector<std::string> devices;
  for (int i = 1; i < 16; ++i) {
    const std::string file = files / std::to_string(i);
    std::ofstream(file) << std::string(1 << 16, '\0');
    devices.push_back("ubd" + std::to_string(i) + "d=" + file);
  }
  for (int i = 0; i < 64; ++i) devices.push_back("vec" + std::to_string(i) + ":transport=fd,fd=99");
  HandGuest guest = start(
      "mount -t proc proc /proc; mount -t sysfs sys /sys; set -- /sys/block/ubd*; echo $# disks; "
      "set -- /sys/class/net/vec*; echo $# interfaces; grep MemTotal /proc/meminfo; poweroff -f",
      devices, false, "mem=64G");
  EXPECT_EQ(guest.wait_for_end(), 0) << guest.output();
  EXPECT_THAT(guest.output(), HasSubstr("\n16 disks"));
  EXPECT_THAT(guest.output(), HasSubstr("\n64 interfaces"));
  long kib = 0;
  const std::size_t at = guest.output().find("\nMemTotal:");
  ASSERT_NE(at, std::string::npos) << guest.output();
  EXPECT_EQ(std::sscanf(guest.output().c_str() + at, "\nMemTotal: %ld kB", &kib), 1);
  EXPECT_GT(kib, 62L << 20);
}

// Whoever asks the management console. Its socket is not connected: then it holds few datagrams.
class Asker {
 public:
  Asker(const std::string& console, const std::string& name) : console_(address(console)), name_(name) {
    socket_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const sockaddr_un own = address(name);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
    const timeval patience{10, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~Asker() { ::unlink(name_.c_str()); }
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;

  void ask(const std::string& command) const {
    const auto packet = mconsole::encode_request(command);
    EXPECT_THAT(packet, is_ok());
    EXPECT_EQ(::sendto(socket_.get(), packet->data(), packet->size(), 0,
                       reinterpret_cast<const sockaddr*>(&console_), sizeof console_),
              static_cast<ssize_t>(packet->size()));
  }
  // "OK ..." or "ERR ...", or that there was none.
  std::string answer() const {
    mconsole::Reply reply;
    std::string packet(4096, '\0');
    while (true) {
      const ssize_t size = ::recv(socket_.get(), packet.data(), packet.size(), 0);
      if (size < 0) return "no answer";
      const auto last = reply.add(std::string_view(packet).substr(0, static_cast<std::size_t>(size)));
      EXPECT_THAT(last, is_ok());
      if (!last || *last) return (reply.failed() ? "ERR " : "OK ") + reply.text();
    }
  }
  std::string answer_to(const std::string& command) const {
    ask(command);
    return answer();
  }

 private:
  static sockaddr_un address(const std::string& path) {
    sockaddr_un address{AF_UNIX, {}};
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
  }

  sockaddr_un console_;
  std::string name_;
  UniqueFd socket_;
};

TEST_P(HandKernel, TellsItsMemoryAndWhatPluggingDid) {
  HandGuest guest = start("echo it is up; sleep 1000");
  ASSERT_GE(guest.wait_for("\nit is up"), 0) << guest.output();
  const Asker asker(console(), *directory_ / "asker");
  constexpr long kMega = 1 << 20;
  const std::string all = asker.answer_to("config mem");
  ASSERT_THAT(all, StartsWith("OK "));
  const long size = std::stol(all.substr(3));
  // It adds what the C library's heap had taken.
  EXPECT_GE(size, 32 * kMega);
  EXPECT_LE(size, 36 * kMega);
  EXPECT_EQ(asker.answer_to("config mem=-4M"), "OK 4194304");
  EXPECT_EQ(asker.answer_to("config mem"), "OK " + std::to_string(size - 4 * kMega));
  EXPECT_EQ(asker.answer_to("config mem=+8M"), "ERR 4194304 of 8388608");
  EXPECT_EQ(asker.answer_to("config mem"), all);
}

TEST_P(HandKernel, AnswersEveryRequestToItsEnd) {
  HandGuest guest = start("echo it is up; mount -t proc proc /proc; sleep 1000");
  ASSERT_GE(guest.wait_for("\nit is up"), 0) << guest.output();
  const Asker asker(console(), *directory_ / "asker");
  // More than the socket holds, for a reader who comes late, and for one who never does.
  asker.ask("sysrq m");
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_THAT(asker.answer(), StartsWith("OK "));
  const Asker deaf(console(), *directory_ / "deaf");
  deaf.ask("sysrq m");
  EXPECT_THAT(asker.answer_to("version"), StartsWith("OK Linux"));
  // Right behind one that is refused: both interrupt once.
  EXPECT_TRUE(guest.signal(SIGSTOP));
  asker.ask("nonsense");
  asker.ask("version");
  EXPECT_TRUE(guest.signal(SIGCONT));
  EXPECT_EQ(asker.answer(), "ERR Unknown command");
  EXPECT_THAT(asker.answer(), StartsWith("OK Linux"));
  // What has nothing to tell yet: the console that is init's input.
  EXPECT_EQ(asker.answer_to("proc 1/fd/0"), "ERR Read of file failed");
  EXPECT_THAT(asker.answer_to("version"), StartsWith("OK Linux"));
}

}  // namespace
}  // namespace umlfarm::testing
