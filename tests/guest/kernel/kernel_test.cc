// What our patches to the guest's kernel are for.
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "tests/guest/kernel/kernel_fixture.h"

namespace umlfarm::testing {
namespace {

INSTANTIATE_TEST_SUITE_P(Each, Kernel, ::testing::Values("strict", "fast"),
                         [](const auto& flavour) { return flavour.param; });

// What `ip -o link` calls the only tap in the farm's network: "3: NAME: <FLAGS> ..."
std::string tap_of(const TestFarm& farm) {
  const Ran ran =
      run_program({"nsenter", "--net=" + farm.netns(), "ip", "-o", "link", "show", "type", "tun"});
  std::string name;
  std::istringstream(ran.out) >> name >> name;
  EXPECT_GT(name.size(), 1U) << ran.err;
  if (!name.empty()) name.pop_back();
  return name;
}

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
  };
  const std::string tap = tap_of(farm_);
  // It sends all the while.
  farm_.in_guest("alice", "(ping -i 0.1 -c 40 10.77.0.1 >/root/pings 2>&1 &) ; sleep 0.5");
  ip({"link", "set", tap, "down"});
  std::this_thread::sleep_for(std::chrono::seconds(1));
  ip({"link", "set", tap, "up"});
  EXPECT_TRUE(eventually([&] { return farm_.ssh("alice", "true").code == 0; }));
}

// Small packets to a port where nobody listens, as fast as one processor makes them.
void flood(const std::stop_token& stop, const std::string& netns, const std::string& address) {
  const UniqueFd net(::open(netns.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::setns(net.get(), CLONE_NEWNET), 0);
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(9);
  ASSERT_EQ(::inet_pton(AF_INET, address.c_str(), &to.sin_addr), 1);
  std::string bytes(64, 'x');
  iovec content{bytes.data(), bytes.size()};
  std::vector<mmsghdr> messages(64);
  for (mmsghdr& message : messages) message.msg_hdr = {&to, sizeof to, &content, 1, nullptr, 0, 0};
  while (!stop.stop_requested())
    (void)::sendmmsg(socket.get(), messages.data(), static_cast<unsigned>(messages.size()), 0);
}

TEST_P(Kernel, GoesOnWhileItIsFlooded) {
  create();
  // To its console, which takes no network.
  farm_.in_guest("alice", "(while :; do sleep 1; echo it ticks; done) >/dev/console 2>&1 </dev/null &");
  const auto ticks = [&] {
    const std::string log = farm_.ok({"logs", "alice"});
    long count = 0;
    for (auto at = log.find("it ticks"); at != std::string::npos; at = log.find("it ticks", at + 1)) ++count;
    return count;
  };
  EXPECT_TRUE(eventually([&] { return ticks() > 0; }));
  const auto received = [&] {
    return std::stol(farm_.in_guest("alice", "awk '/vec0/ { print $3 }' /proc/net/dev"));
  };
  const long received_before = received();
  {
    // A namespace is a thread's.
    const std::jthread flooding(flood, farm_.netns(), farm_.field("alice", "address4"));
    const long before = ticks();
    EXPECT_TRUE(eventually([&] { return ticks() >= before + 3; }));
  }
  EXPECT_GT(received() - received_before, 1000);
}

// Traffic, disk load and process churn at the same time: what upstream's vector driver and block driver have
// locks, or none, for.
TEST(KernelOfManyProcessors, CarriesTrafficDiskLoadAndChurnTogether) {
  const auto length = std::chrono::seconds(in_full() ? 600 : 60);
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
