// What our patches to the guest's kernel are for.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <sstream>
#include <thread>

#include "tests/guest/kernel/kernel_fixture.h"

namespace umlfarm::testing {
namespace {

INSTANTIATE_TEST_SUITE_P(Each, Kernel, ::testing::Values("strict", "fast"),
                         [](const auto& flavour) { return flavour.param; });

TEST_P(Kernel, KeepsRegistersOverFaultsSignalsAndSwitches) {
  EXPECT_EQ(said_in_the_guest("registers"), "3 of 3 processes kept their registers\n");
}

TEST_P(Kernel, TellsTheSizesOfItsRings) {
  int rx = 0;
  int tx = 0;
  const std::string told = said_in_the_guest("rings vec0");
  EXPECT_EQ(std::sscanf(told.c_str(), "rx %d tx %d", &rx, &tx), 2) << told;
  EXPECT_GT(rx, 0);
  EXPECT_GT(tx, 0);
}

TEST_P(Kernel, GoesOnAfterItsTapWasDown) {
  create();
  const auto ip = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"nsenter", "--net=" + farm_.netns(), "ip"});
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
  farm_.in_guest("alice", "(ping -i 0.1 -c 40 10.77.0.1 >/root/pings 2>&1 &) ; sleep 0.5");
  ip({"link", "set", tap, "down"});
  std::this_thread::sleep_for(std::chrono::seconds(1));
  ip({"link", "set", tap, "up"});
  EXPECT_TRUE(eventually([&] { return farm_.ssh("alice", "true").code == 0; }));
}

// In the farm's network: sends datagrams of 64 bytes to that address until `enough` says so of their number.
void send_datagrams(const TestFarm& farm, const std::string& to, std::uint16_t port,
                    const std::function<bool(unsigned)>& enough) {
  // A namespace is a thread's.
  std::thread([&] {
    const UniqueFd net(::open(farm.netns().c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(::setns(net.get(), CLONE_NEWNET), 0);
    const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ASSERT_EQ(::inet_pton(AF_INET, to.c_str(), &address.sin_addr), 1);
    const std::string bytes(64, 'x');
    for (unsigned sent = 0; !enough(sent); ++sent) {
      (void)::sendto(socket.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&address),
                     sizeof address);
    }
  }).join();
}

TEST_P(Kernel, TakesManySmallPackets) {
  bring_the_program();
  farm_.in_guest("alice", "(/root/umlfarm_in_guest datagrams 7001 >/root/count 2>&1 &); sleep 1");
  send_datagrams(farm_, farm_.field("alice", "address4"), 7001, [](unsigned sent) { return sent == 50; });
  EXPECT_EQ(farm_.in_guest("alice", "while [ ! -s /root/count ]; do sleep 1; done; cat /root/count"), "50\n");
}

TEST_P(Kernel, GoesOnWhileItIsFlooded) {
  create();
  farm_.in_guest("alice", "(while :; do sleep 1; echo >>/root/ticks; done) >/dev/null 2>&1 &");
  const std::string address = farm_.field("alice", "address4");
  const auto ticks = [&] { return std::stol(farm_.in_guest("alice", "cat /root/ticks 2>/dev/null | wc -l")); };
  const long before = ticks();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(15);
  const auto over = [&](unsigned sent) {
    return sent % 1024 == 0 && std::chrono::steady_clock::now() > end;
  };
  std::thread second([&] { send_datagrams(farm_, address, 7002, over); });
  send_datagrams(farm_, address, 7002, over);
  second.join();
  EXPECT_GE(ticks() - before, 4);
}

// Traffic, disk load and process churn at the same time: what upstream's vector driver and block driver have
// locks, or none, for.
TEST(KernelOfManyProcessors, CarriesTrafficDiskLoadAndChurnTogether) {
  const char* const full = std::getenv("UMLFARM_TEST_FULL");
  const auto length = std::chrono::seconds(full != nullptr && *full != '\0' ? 600 : 60);
  const TestFarm farm;
  farm.ok({"kernel", "add", built_kernel("fast")});
  farm.create("alice", {"--kernel", "fast", "--processors", "2", "--memory", "64M"});
  EXPECT_EQ(farm.in_guest("alice", "grep -c ^processor /proc/cpuinfo"), "2\n");
  EXPECT_EQ(farm.json({"show", "alice"}).at("processors").as_array().size(), 2U);
  farm.in_guest(
      "alice",
      "head -c 4000000 /dev/urandom >/root/data; httpd -p 7000 -h /root; cd /tmp;"
      "(while :; do dd if=/dev/zero of=/root/f bs=64k count=64 conv=fsync; rm /root/f; echo >>disk; "
      "done) >/dev/null 2>&1 & "
      "(while :; do /bin/true; echo >>churn; done) >/dev/null 2>&1 &");
  const std::string page = "http://" + farm.field("alice", "address4") + ":7000/data";
  const auto end = std::chrono::steady_clock::now() + length;
  unsigned fetched = 0;
  while (std::chrono::steady_clock::now() < end) {
    const Ran ran = run_program({"nsenter", "--net=" + farm.netns(), "busybox", "timeout", "60", "busybox",
                                 "wget", "-q", "-O", "/dev/null", page});
    ASSERT_EQ(ran.code, 0) << ran.err << farm.ok({"logs", "alice"});
    ++fetched;
  }
  EXPECT_GT(fetched, 1U);
  const auto lines = [&](const std::string& file) {
    return std::stol(farm.in_guest("alice", "wc -l </tmp/" + file));
  };
  const long disk = lines("disk");
  const long churn = lines("churn");
  EXPECT_TRUE(eventually([&] { return lines("disk") > disk && lines("churn") > churn; }));
  std::cout << fetched << " times 4 MB over the network, " << disk << " times 4 MiB to the disk, " << churn
            << " processes in " << length.count() << " s\n";
  const std::string log = farm.ok({"logs", "alice"});
  for (const char* word : {"Kernel panic", "stalls on", "BUG:", "WARNING:", "lockup", "Oops"})
    EXPECT_EQ(log.find(word), std::string::npos) << log;
  EXPECT_EQ(farm.number("alice", "restarts"), 0);
}

}  // namespace
}  // namespace umlfarm::testing
