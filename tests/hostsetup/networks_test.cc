#include "hostsetup/networks.h"

#include <gmock/gmock.h>

namespace umlfarm::hostsetup {
namespace {

Network4 network(const char* cidr) { return parse_network4(cidr).value(); }

TEST(Networks, AreReadAndWritten) {
  for (const char* good : {"10.77.0.0/16", "0.0.0.0/0", "192.168.1.4/30", "1.2.3.4/32"}) {
    const auto parsed = parse_network4(good);
    ASSERT_TRUE(parsed) << good;
    EXPECT_EQ(parsed->str(), good);
  }
  EXPECT_EQ(network("10.77.1.2/16").str(), "10.77.0.0/16");
  for (const char* bad :
       {"", "10.77.0.0", "10.77.0.0/33", "10.77.0/16", "10.77.0.0/", "fd00::/64", "10.77.0.0/-1"}) {
    EXPECT_FALSE(parse_network4(bad)) << bad;
  }
}

TEST(Networks, OverlapWhereOneHoldsTheOther) {
  EXPECT_TRUE(overlap(network("10.0.0.0/8"), network("10.77.0.0/16")));
  EXPECT_TRUE(overlap(network("10.77.0.0/16"), network("10.0.0.0/8")));
  EXPECT_TRUE(overlap(network("10.77.0.0/16"), network("10.77.0.0/16")));
  EXPECT_FALSE(overlap(network("10.77.0.0/16"), network("10.78.0.0/16")));
  EXPECT_FALSE(overlap(network("192.168.1.0/30"), network("192.168.1.4/30")));
  EXPECT_TRUE(overlap(network("0.0.0.0/0"), network("192.168.1.4/30")));
}

TEST(Networks, AreReadFromTheKernelsTable) {
  const std::string table(
      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
      "eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
      "eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
      "tun9\t04004E0A\t00000000\t0001\t0\t0\t0\tFCFFFFFF\t0\t0\t0\n"
      "half a line\n");
  EXPECT_EQ(default_device(table), "eth0");
  EXPECT_EQ(default_device("Iface\n"), "");
  const auto routes = parse_routes(table);
  ASSERT_EQ(routes.size(), 2U);
  EXPECT_EQ(routes[0].to.str(), "192.168.0.0/24");
  EXPECT_EQ(routes[0].device, "eth0");
  EXPECT_EQ(routes[1].to.str(), "10.78.0.4/30");
}

TEST(Networks, OfferOneThatIsFree) {
  EXPECT_EQ(free_network4(16, {})->str(), "10.77.0.0/16");
  EXPECT_EQ(free_network4(16, {network("10.77.5.0/24")})->str(), "10.78.0.0/16");
  EXPECT_EQ(free_network4(30, {network("10.0.0.0/8")})->str(), "172.16.0.0/30");
  EXPECT_EQ(free_network4(24, {network("10.0.0.0/8"), network("172.16.0.0/12")})->str(), "192.168.0.0/24");
  EXPECT_FALSE(free_network4(16, {network("0.0.0.0/0")}));
}

}  // namespace
}  // namespace umlfarm::hostsetup
