#include "guest/net/uplink.h"

#include <gtest/gtest.h>

#include "tests/support/result_matchers.h"

namespace umlfarm::guest {
namespace {

using testing::is_error;
using testing::is_ok;

TEST(UplinkAddresses, AreTheTwoHostsOfATransferNetwork) {
  struct Case {
    const char* cidr;
    const char* machine;
    const char* farm;
  };
  for (const auto& [cidr, machine, farm] : std::initializer_list<Case>{
           {"10.78.0.0/30", "10.78.0.1/30", "10.78.0.2/30"},
           {"192.168.255.252/30", "192.168.255.253/30", "192.168.255.254/30"},
       }) {
    const auto addresses = uplink_addresses(cidr);
    ASSERT_THAT(addresses, is_ok()) << cidr;
    EXPECT_EQ(addresses->machine, machine);
    EXPECT_EQ(addresses->farm, farm);
  }
}

TEST(UplinkAddresses, RefuseWhatIsNoTransferNetwork) {
  for (const char* cidr : {"", "/30", "10.78.0.0", "10.78.0.0/", "10.78.0.0/29", "10.78.0.0/31",
                           "10.78.0.0/030", "10.78.0.0/30x", "10.78.0.1/30", "10.78.0.2/30", "10.78.0/30",
                           "10.78.0.256/30", " 10.78.0.0/30", "fd78::/30"}) {
    EXPECT_THAT(uplink_addresses(cidr), is_error(Kind::Invalid, "'" + std::string(cidr) + "'"));
  }
}

}  // namespace
}  // namespace umlfarm::guest
