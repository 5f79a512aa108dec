// What our patches to the guest's kernel are for.
#include <signal.h>

#include <cstdio>
#include <sstream>
#include <thread>

#include "tests/support/test_farm.h"

namespace umlfarm::testing {
namespace {

// What umlfarm_in_guest says to that in a guest.
std::string said_in_a_guest(const std::string& arguments) {
  const TestFarm farm;
  const std::string tar = farm / "program.tar";
  const Ran packed = run_program({"tar", "-C", std::string(UMLFARM_BUILD_DIRECTORY) + "/tests/guest/kernel",
                                  "-cf", tar, "umlfarm_in_guest"});
  EXPECT_EQ(packed.code, 0) << packed.err;
  farm.create("alice", {"--disk", tar + ":ro"});
  return farm.in_guest("alice", "tar -xf /dev/ubdd -C /root && /root/umlfarm_in_guest " + arguments);
}

bool is_traced(const std::string& pid) {
  const auto status = posix::read_file("/proc/" + pid + "/status");
  return status && status->find("TracerPid:\t0\n") == std::string::npos;
}

TEST(Kernel, KeepsRegistersOverFaultsSignalsAndSwitches) {
  EXPECT_EQ(said_in_a_guest("registers"), "3 of 3 processes kept their registers\n");
}

TEST(Kernel, TellsTheSizesOfItsRings) {
  int rx = 0;
  int tx = 0;
  const std::string told = said_in_a_guest("rings vec0");
  EXPECT_EQ(std::sscanf(told.c_str(), "rx %d tx %d", &rx, &tx), 2) << told;
  EXPECT_GT(rx, 0);
  EXPECT_GT(tx, 0);
}

TEST(Kernel, SyncsTheHostsDiskWhenAGuestSyncs) {
  const TestFarm farm;
  farm.create("alice");
  const std::string mac = "mac=" + farm.field("alice", "mac");
  std::vector<std::string> command{"strace", "-y", "-e", "trace=fsync,fdatasync"};
  // The stubs are traced already, by the kernel.
  for (const std::string& process : processes_of(farm.first_uid(), TestFarm::kUids)) {
    const std::string pid = std::to_string(std::stoi(process));
    if (process.find(mac) != std::string::npos && !is_traced(pid)) command.insert(command.end(), {"-p", pid});
  }
  ASSERT_GT(command.size(), 4U);
  const std::string log = farm / "strace.log";
  const pid_t strace = start_program(command, log);
  const auto says = [&](const std::string& what) {
    return eventually([&] { return posix::read_file(log).value_or("").find(what) != std::string::npos; }, 20);
  };
  EXPECT_TRUE(says("attached"));
  farm.in_guest("alice", "dd if=/dev/zero of=/root/file bs=4096 count=1 conv=fsync 2>/dev/null");
  EXPECT_TRUE(says("root.cow>) = 0")) << posix::read_file(log).value_or("");
  ::kill(strace, SIGINT);
  (void)wait_for_end(strace);
}

TEST(Kernel, ReadsOnAfterASegmentThatIsPartlyItsOwn) {
  EXPECT_EQ(said_in_a_guest("scattered /lib/x86_64-linux-gnu/libc.so.6"), "the same\n");
}

TEST(Kernel, GoesOnAfterItsTapWasDown) {
  const TestFarm farm;
  farm.create("alice");
  const auto ip = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"nsenter", "--net=" + farm.netns(), "ip"});
    const Ran ran = run_program(words);
    EXPECT_EQ(ran.code, 0) << ran.err;
    return ran.out;
  };
  // "3: NAME: <FLAGS> ..."
  std::string tap;
  std::istringstream(ip({"-o", "link", "show", "type", "tun"})) >> tap >> tap;
  ASSERT_GT(tap.size(), 1U);
  tap.pop_back();
  // It sends all the while.
  farm.in_guest("alice", "(ping -i 0.1 -c 40 10.77.0.1 >/root/pings 2>&1 &) ; sleep 0.5");
  ip({"link", "set", tap, "down"});
  std::this_thread::sleep_for(std::chrono::seconds(1));
  ip({"link", "set", tap, "up"});
  EXPECT_TRUE(eventually([&] { return farm.ssh("alice", "true").code == 0; }));
}

}  // namespace
}  // namespace umlfarm::testing
