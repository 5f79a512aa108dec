// What a hostile guest can put on its tap, byte by byte, and what the farm's bridge makes of it. The guests
// are this test: it holds their taps.
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#include <array>
#include <cstdio>
#include <thread>

#include "guest/net/address_pool.h"
#include "guest/net/farm_network.h"
#include "tests/support/result_matchers.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::guest {
namespace {

using testing::is_ok;
using testing::run_program;

using Bytes = std::string;

Bytes mac_bytes(const std::string& mac) {
  std::array<unsigned, 6> m{};
  std::sscanf(mac.c_str(), "%x:%x:%x:%x:%x:%x", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]);
  Bytes bytes;
  for (const unsigned byte : m) bytes += static_cast<char>(byte);
  return bytes;
}

Bytes address4(const std::string& text) {
  in_addr address{};
  ::inet_pton(AF_INET, text.c_str(), &address);
  return {reinterpret_cast<const char*>(&address), sizeof address};
}

Bytes address6(const std::string& text) {
  in6_addr address{};
  ::inet_pton(AF_INET6, text.c_str(), &address);
  return {reinterpret_cast<const char*>(&address), sizeof address};
}

Bytes be16(unsigned value) { return {static_cast<char>(value >> 8U), static_cast<char>(value)}; }

Bytes checksum(const Bytes& data) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < data.size(); ++i) {
    sum += static_cast<std::uint32_t>(static_cast<unsigned char>(data[i])) << (i % 2 == 0 ? 8U : 0U);
  }
  while (sum >> 16U != 0) sum = (sum & 0xffffU) + (sum >> 16U);
  return be16(~sum & 0xffffU);
}

Bytes frame(const std::string& to, const std::string& from, unsigned type, const Bytes& payload) {
  Bytes bytes = mac_bytes(to) + mac_bytes(from) + be16(type) + payload;
  if (bytes.size() < 60) bytes.resize(60);
  return bytes;
}

Bytes ip4(const std::string& from, const std::string& to, unsigned protocol, const Bytes& payload) {
  const auto header = [&](const Bytes& sum) {
    return Bytes("\x45\0", 2) + be16(static_cast<unsigned>(20 + payload.size())) + Bytes("\0\1\0\0\x40", 5) +
           static_cast<char>(protocol) + sum + address4(from) + address4(to);
  };
  return header(checksum(header(be16(0)))) + payload;
}

Bytes ping(const std::string& from, const std::string& to) {
  const Bytes rest = Bytes("\0\1\0\1", 4) + "umlfarm!";
  const Bytes sum = checksum(Bytes("\x08\0\0\0", 4) + rest);
  return ip4(from, to, IPPROTO_ICMP, Bytes("\x08\0", 2) + sum + rest);
}

Bytes datagram(const std::string& from, const std::string& to, unsigned port) {
  const Bytes body = "found";
  return ip4(from, to, IPPROTO_UDP,
             be16(9) + be16(port) + be16(static_cast<unsigned>(8 + body.size())) + be16(0) + body);
}

// "`target` is at my MAC": unsolicited, and to override.
Bytes neighbour_advertisement(const std::string& from, const std::string& to, const std::string& target,
                              const std::string& mac) {
  const Bytes head("\x88\0", 2);
  const Bytes rest = Bytes("\x60\0\0\0", 4) + address6(target) + Bytes("\2\1", 2) + mac_bytes(mac);
  const auto size = static_cast<unsigned>(head.size() + 2 + rest.size());
  const Bytes pseudo = address6(from) + address6(to) + Bytes("\0\0", 2) + be16(size) + Bytes("\0\0\0\x3a", 4);
  const Bytes message = head + checksum(pseudo + head + be16(0) + rest) + rest;
  return Bytes("\x60\0\0\0", 4) + be16(size) + Bytes("\x3a\xff", 2) + address6(from) + address6(to) + message;
}

class BridgeTest : public ::testing::Test {
 protected:
  static constexpr const char* kGateway = "10.77.0.1";
  static constexpr const char* kGateway6 = "fd77::1";
  static constexpr unsigned kHeader = 10;  // of virtio-net, before each frame

  struct Guest {
    Port port;
    UniqueFd tap;
  };

  void SetUp() override {
    auto opened = FarmNetwork::open(netns_, {"10.77.0.1/16", "fd77::1/64", true, "0123456789abcdef", {}});
    ASSERT_THAT(opened, is_ok());
    network_ = std::move(*opened);
    mallory_ = attach("tg1", "02:00:00:00:00:01", "10.77.0.2", "fd77::2");
    victim_ = attach("tg2", "02:00:00:00:00:02", "10.77.0.3", "fd77::3");
    gateway_mac_ = in_netns({"cat", "/sys/class/net/umlbr0/address"}).substr(0, 17);
  }
  void TearDown() override {
    mallory_.tap.reset();
    victim_.tap.reset();
    if (network_) {
      EXPECT_THAT(network_->remove(), is_ok());
    }
  }

  Guest attach(const std::string& tap, const std::string& mac, const std::string& four,
               const std::string& six) {
    Guest guest{{tap, mac, four, six}, UniqueFd()};
    auto opened = network_->attach_guest({guest.port, {}});
    EXPECT_THAT(opened, is_ok());
    if (opened) guest.tap = std::move(*opened);
    return guest;
  }
  std::string in_netns(std::vector<std::string> command) const {
    // With the namespace's own view of /sys.
    std::string words;
    for (const std::string& word : command) words += " " + word;
    const auto ran = run_program({"nsenter", "--net=" + netns_, "unshare", "--mount", "sh", "-c",
                                  "mount -t sysfs sysfs /sys;" + words});
    EXPECT_EQ(ran.code, 0) << words << ran.err;
    return ran.out;
  }
  static void send(const Guest& guest, const Bytes& bytes) {
    EXPECT_THAT(posix::write_all(guest.tap.get(), Bytes(kHeader, '\0') + bytes), is_ok());
  }
  // Whether a frame that holds `text` comes out of the guest's tap.
  static bool gets(const Guest& guest, const std::string& text, int wait_ms) {
    std::array<char, 4096> buffer;
    pollfd watched{guest.tap.get(), POLLIN, 0};
    while (::poll(&watched, 1, wait_ms) > 0) {
      const ssize_t size = ::read(guest.tap.get(), buffer.data(), buffer.size());
      if (size <= 0) break;
      if (Bytes(buffer.data(), static_cast<std::size_t>(size)).find(text) != Bytes::npos) return true;
    }
    return false;
  }
  // The host answers the guest's ping, at its own tap.
  bool is_answered(const Guest& guest) {
    send(guest, frame(gateway_mac_, guest.port.mac, 0x0800, ping(guest.port.address4, kGateway)));
    return gets(guest, Bytes("\0\0", 2) + checksum(Bytes("\0\0\0\0\0\1\0\1", 8) + "umlfarm!"), 1000);
  }

  testing::TemporaryDirectory directory_;
  std::string netns_ = directory_ / "netns";
  std::unique_ptr<FarmNetwork> network_;
  Guest mallory_;
  Guest victim_;
  std::string gateway_mac_;
};

TEST_F(BridgeTest, AnswersGuestsThatSpeakAsThemselves) {
  EXPECT_TRUE(is_answered(mallory_));
  EXPECT_TRUE(is_answered(victim_));
}

TEST_F(BridgeTest, LearnsNobodyElseFromAnyFrame) {
  const std::string before = in_netns({"bridge", "fdb", "show", "br", "umlbr0"});
  EXPECT_NE(before.find(victim_.port.mac + " dev tg2"), std::string::npos) << before;
  for (const char* to : {"ff:ff:ff:ff:ff:ff", "01:80:c2:00:00:00", "01:80:c2:00:00:02", "01:80:c2:00:00:03",
                         "01:80:c2:00:00:0e", "33:33:00:00:00:01"}) {
    for (const unsigned type : {0x0800U, 0x0806U, 0x86ddU, 0x8100U, 0x88ccU, 0x88a8U, 0x0026U}) {
      send(mallory_, frame(to, victim_.port.mac, type, ping(victim_.port.address4, kGateway)));
      send(mallory_, frame(to, "02:66:66:66:66:66", type, ping(mallory_.port.address4, kGateway)));
    }
  }
  EXPECT_TRUE(is_answered(victim_));
  EXPECT_EQ(in_netns({"bridge", "fdb", "show", "br", "umlbr0"}), before);
}

TEST_F(BridgeTest, DeliversToNoServiceOfTheHosts) {
  constexpr unsigned kPort = 7777;
  UniqueFd service;
  std::thread([&] {
    const UniqueFd space(::open(netns_.c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(::setns(space.get(), CLONE_NEWNET), 0);
    service = UniqueFd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  }).join();
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(kPort);
  ASSERT_EQ(::bind(service.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any), 0);
  for (const std::string& to : {gateway_mac_, std::string("ff:ff:ff:ff:ff:ff"),
                                std::string("01:80:c2:00:00:00"), std::string("01:80:c2:00:00:02"),
                                std::string("01:80:c2:00:00:03"), std::string("01:80:c2:00:00:0e")}) {
    for (const std::string& from :
         {mallory_.port.address4, victim_.port.address4, std::string("192.0.2.7")}) {
      send(mallory_, frame(to, mallory_.port.mac, 0x0800, datagram(from, kGateway, kPort)));
      send(mallory_, frame(to, victim_.port.mac, 0x0800, datagram(from, kGateway, kPort)));
    }
  }
  EXPECT_TRUE(is_answered(mallory_)) << "and what came before has been taken by then";
  char byte;
  EXPECT_LT(::recv(service.get(), &byte, 1, MSG_DONTWAIT), 0);
}

TEST_F(BridgeTest, IsToldByNobodyWhereAnotherIs) {
  const std::string before = in_netns({"ip", "neigh", "show", "dev", "umlbr0", "nud", "permanent"});
  for (const Guest* guest : {&mallory_, &victim_}) {
    EXPECT_NE(before.find(guest->port.address4 + " lladdr " + guest->port.mac), std::string::npos) << before;
    EXPECT_NE(before.find(guest->port.address6 + " lladdr " + guest->port.mac), std::string::npos) << before;
  }
  send(mallory_, frame("33:33:00:00:00:01", mallory_.port.mac, 0x86dd,
                       neighbour_advertisement(mallory_.port.address6, "ff02::1", victim_.port.address6,
                                               mallory_.port.mac)));
  send(mallory_, frame(gateway_mac_, mallory_.port.mac, 0x86dd,
                       neighbour_advertisement(mallory_.port.address6, kGateway6, victim_.port.address6,
                                               mallory_.port.mac)));
  EXPECT_TRUE(is_answered(mallory_));
  EXPECT_EQ(in_netns({"ip", "neigh", "show", "dev", "umlbr0", "nud", "permanent"}), before);
  // And nothing stays of one that leaves.
  EXPECT_THAT(network_->detach_guest(victim_.port), is_ok());
  const std::string after = in_netns({"ip", "neigh", "show", "dev", "umlbr0", "nud", "permanent"});
  EXPECT_EQ(after.find(victim_.port.mac), std::string::npos) << after;
  EXPECT_NE(after.find(mallory_.port.mac), std::string::npos) << after;
  EXPECT_THAT(network_->keep_only({}), is_ok());
  EXPECT_EQ(in_netns({"ip", "neigh", "show", "dev", "umlbr0", "nud", "permanent"}), "");
}

TEST_F(BridgeTest, CarriesNothingFromGuestToGuest) {
  for (const std::string& to : {victim_.port.mac, std::string("ff:ff:ff:ff:ff:ff"),
                                std::string("33:33:00:00:00:01"), std::string("01:80:c2:00:00:0e")}) {
    send(mallory_, frame(to, mallory_.port.mac, 0x0800, ping(mallory_.port.address4, victim_.port.address4)));
  }
  EXPECT_FALSE(gets(victim_, "umlfarm!", 300));
}

}  // namespace
}  // namespace umlfarm::guest
