#include "guest/net/address_pool.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <set>
#include <vector>

#include "tests/support/result_matchers.h"

namespace umlfarm::guest {
namespace {

using testing::is_error;
using testing::is_ok;

AddressPool pool(const std::string& cidr4, const std::string& cidr6 = "") {
  auto parsed = AddressPool::parse(cidr4, cidr6);
  EXPECT_THAT(parsed, is_ok()) << cidr4;
  return std::move(parsed).value();
}

TEST(AddressPool, GivesIPv4AddressesFromTheFirstToTheLast) {
  struct Case {
    const char* cidr;
    const char* gateway;
    std::uint64_t size;
    const char* first;
    const char* last;
  };
  for (const auto& [cidr, gateway, size, first, last] : std::initializer_list<Case>{
           {"10.0.0.0/8", "10.0.0.1", 16'777'213, "10.0.0.2/8", "10.255.255.254/8"},
           {"10.77.0.0/16", "10.77.0.1", 65'533, "10.77.0.2/16", "10.77.255.254/16"},
           {"172.16.128.0/17", "172.16.128.1", 32'765, "172.16.128.2/17", "172.16.255.254/17"},
           {"192.168.8.0/24", "192.168.8.1", 253, "192.168.8.2/24", "192.168.8.254/24"},
           {"192.168.8.248/29", "192.168.8.249", 5, "192.168.8.250/29", "192.168.8.254/29"},
       }) {
    const AddressPool addresses = pool(cidr);
    EXPECT_EQ(addresses.size(), size) << cidr;
    EXPECT_EQ(addresses.gateway4_cidr(), gateway + std::string(cidr).substr(std::string(cidr).find('/')));
    EXPECT_EQ(addresses.at(0).address4, first);
    EXPECT_EQ(addresses.at(0).gateway4, gateway);
    EXPECT_EQ(addresses.at(static_cast<std::uint32_t>(size - 1)).address4, last);
  }
}

TEST(AddressPool, GivesIPv6AddressesBesideThem) {
  struct Case {
    const char* cidr;
    const char* gateway;
    const char* first;
    const char* last;
  };
  for (const auto& [cidr, gateway, first, last] : std::initializer_list<Case>{
           {"fd77::/64", "fd77::1", "fd77::2/64", "fd77::fffe/64"},
           {"fd00::/8", "fd00::1", "fd00::2/8", "fd00::fffe/8"},
           {"fd77:0:0:1::/64", "fd77:0:0:1::1", "fd77:0:0:1::2/64", "fd77:0:0:1::fffe/64"},
           {"2001:db8:1:2:3:4::/96", "2001:db8:1:2:3:4:0:1", "2001:db8:1:2:3:4:0:2/96",
            "2001:db8:1:2:3:4:0:fffe/96"},
       }) {
    const AddressPool addresses = pool("10.77.0.0/16", cidr);
    EXPECT_EQ(addresses.gateway6_cidr(), gateway + std::string(cidr).substr(std::string(cidr).find('/')));
    EXPECT_EQ(addresses.at(0).address6, first);
    EXPECT_EQ(addresses.at(0).gateway6, gateway);
    EXPECT_EQ(addresses.at(65'532).address6, last);
  }
  EXPECT_EQ(pool("10.0.0.0/8", "fd77::/64").at(16'777'212).address6, "fd77::ff:fffe/64");
}

TEST(AddressPool, GivesNoIPv6WhereThereIsNone) {
  const AddressPool addresses = pool("10.77.0.0/16");
  EXPECT_EQ(addresses.gateway6_cidr(), "");
  EXPECT_EQ(addresses.at(7).address6, "");
  EXPECT_EQ(addresses.at(7).gateway6, "");
}

TEST(AddressPool, GivesNobodyTheNetworkTheGatewayOrTheBroadcastAddress) {
  struct Case {
    const char* cidr;
    std::set<std::string> reserved;
  };
  for (const auto& [cidr, reserved] : std::vector<Case>{
           {"192.168.8.16/29", {"192.168.8.16/29", "192.168.8.17/29", "192.168.8.23/29"}},
           {"192.168.8.0/24", {"192.168.8.0/24", "192.168.8.1/24", "192.168.8.255/24"}},
           {"10.77.16.0/20", {"10.77.16.0/20", "10.77.16.1/20", "10.77.31.255/20"}},
       }) {
    const AddressPool addresses = pool(cidr);
    std::set<std::string> given = reserved;
    for (std::uint32_t index = 0; index < addresses.size(); ++index) {
      EXPECT_TRUE(given.insert(addresses.at(index).address4).second) << index;
    }
    const unsigned bits =
        32U - static_cast<unsigned>(std::stoi(std::string(cidr).substr(std::string(cidr).find('/') + 1)));
    EXPECT_EQ(given.size(), 1U << bits) << "every address of " << cidr << " has its use";
  }
}

TEST(AddressPool, KnowsWhichAddressesLieInItsNetwork) {
  struct Case {
    const char* cidr;
    const char* address;
    bool contained;
  };
  for (const auto& [cidr, address, contained] : std::initializer_list<Case>{
           {"10.77.0.0/16", "10.77.0.0", true},
           {"10.77.0.0/16", "10.77.255.255", true},
           {"10.77.0.0/16", "10.77.3.4/30", true},
           {"10.77.0.0/16", "10.76.255.255", false},
           {"10.77.0.0/16", "10.78.0.0", false},
           {"10.0.0.0/8", "10.255.1.2", true},
           {"10.0.0.0/8", "11.0.0.0/8", false},
           {"192.168.8.8/29", "192.168.8.15", true},
           {"192.168.8.8/29", "192.168.8.7", false},
           {"192.168.8.8/29", "192.168.8.16", false},
           {"10.77.0.0/16", "", false},
           {"10.77.0.0/16", "fd77::2", false},
           {"10.77.0.0/16", "10.77.0", false},
       }) {
    EXPECT_EQ(pool(cidr).contains4(address), contained) << address << " in " << cidr;
  }
}

TEST(AddressPool, RefusesWhatIsNoIPv4NetworkOfItsSize) {
  for (const char* cidr : {"",
                           "/",
                           "10.77.0.0",
                           "10.77.0.0/",
                           "/16",
                           "10.77.0.0/7",
                           "10.77.0.0/30",
                           "10.77.0.0/32",
                           "10.77.0.0/33",
                           "10.77.0.0/-8",
                           "10.77.0.0/+16",
                           "10.77.0.0/16x",
                           "10.77.0.0/16/16",
                           "10.77.0.0/ 16",
                           "10.77.0.0/99999999999",
                           "10.77.0.1/16",
                           "10.77.128.0/16",
                           "192.168.8.4/29",
                           "10.77.0/16",
                           "10.77.0.0.0/16",
                           "10.77.0.256/16",
                           " 10.77.0.0/16",
                           "fd77::/16",
                           "example.org/16"}) {
    EXPECT_THAT(AddressPool::parse(cidr, ""), is_error(Kind::Invalid, "'" + std::string(cidr) + "'"));
  }
}

TEST(AddressPool, RefusesWhatIsNoIPv6NetworkOfItsSize) {
  for (const char* cidr : {"/", "fd77::", "fd77::/", "/64", "fd77::/7", "fd77::/113", "fd77::/128",
                           "fd77::/-64", "fd77::/64x", "fd77::1/64", "fd77:0:0:0:8000::/64", "fd77:::/64",
                           "fd7g::/64", "10.77.0.0/16", "::ffff:10.0.0.0/64", " fd77::/64"}) {
    EXPECT_THAT(AddressPool::parse("10.77.0.0/16", cidr),
                is_error(Kind::Invalid, "'" + std::string(cidr) + "'"));
  }
}

TEST(GuestMac, IsUnicastAndLocallyAdministered) {
  for (const char* farm : {"", "a", "farm-1", "0123456789abcdef"}) {
    const std::string mac = guest_mac(farm, 7);
    unsigned bytes[6];
    ASSERT_EQ(mac.size(), 17U);
    ASSERT_EQ(std::sscanf(mac.c_str(), "%2x:%2x:%2x:%2x:%2x:%2x", &bytes[0], &bytes[1], &bytes[2], &bytes[3],
                          &bytes[4], &bytes[5]),
              6)
        << mac;
    EXPECT_EQ(bytes[0] & 3U, 2U) << mac;
  }
}

TEST(GuestMac, IsSharedByNoTwoGuestsOfAFarm) {
  std::set<std::string> macs;
  std::size_t count = 0;
  for (std::int64_t number = 1; number < 10'000; ++number, ++count) macs.insert(guest_mac("farm", number));
  for (std::int64_t number = 16'767'216; number < 16'777'216; ++number, ++count) {
    macs.insert(guest_mac("farm", number));
  }
  EXPECT_EQ(macs.size(), count);
}

TEST(GuestMac, StaysTheSameAndDiffersBetweenFarms) {
  EXPECT_EQ(guest_mac("farm", 7), guest_mac("farm", 7));
  EXPECT_NE(guest_mac("farm", 7), guest_mac("other", 7));
}

TEST(LinkLocal, IsDerivedAsRfc4291Says) {
  struct Case {
    const char* mac;
    const char* address;
  };
  for (const auto& [mac, address] : std::initializer_list<Case>{
           {"34:56:78:9a:bc:de", "fe80::3656:78ff:fe9a:bcde"},  // RFC 4291, appendix A, of our numbers
           {"02:00:00:00:00:01", "fe80::ff:fe00:1"},
           {"00:00:00:00:00:00", "fe80::200:ff:fe00:0"},
           {"ff:ff:ff:ff:ff:ff", "fe80::fdff:ffff:feff:ffff"},
           {"02:AB:CD:00:00:10", "fe80::ab:cdff:fe00:10"},
       }) {
    EXPECT_EQ(link_local(mac), address);
  }
}

TEST(LinkLocal, IsEmptyForWhatIsNoMac) {
  for (const char* text : {"", "02", "02:00:00:00:00", "no mac at all"}) EXPECT_EQ(link_local(text), "");
}

}  // namespace
}  // namespace umlfarm::guest
