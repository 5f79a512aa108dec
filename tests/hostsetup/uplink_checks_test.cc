// What an uplink asks of the machine.
#include <gmock/gmock.h>

#include "hostsetup/boot_settings.h"
#include "hostsetup/inspection.h"
#include "tests/hostsetup/fake_machine.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::hostsetup {
namespace {

using ::testing::HasSubstr;
using testing::is_ok;

constexpr const char* kForward6 = "/proc/sys/net/ipv6/conf/all/forwarding";
constexpr const char* kRedirects = "/proc/sys/net/ipv4/conf/all/accept_redirects";
constexpr const char* kConnections = "/proc/sys/net/netfilter/nf_conntrack_max";
constexpr const char* kModuleFile = "/etc/modprobe.d/umlfarm.conf";
const std::string kStrict =
    R"({"nftables": [{"chain": {"family": "inet", "table": "filter", "name": "forward", "hook": "forward",
        "policy": "drop"}}]})";

class UplinkChecks : public ::testing::Test {
 protected:
  UplinkChecks() {
    host_.farm.network.uplink = "10.200.0.0/30";
    host_.write("/proc/sys/net/ipv4/ip_forward", "1\n");
    host_.write("/etc/sysctl.d/50-router.conf", "net.ipv4.ip_forward = 1\n");
    host_.write(kRedirects, "0\n");
    host_.write(kForward6, "0\n");
    host_.write(kConnections, "262144\n");
    host_.answers("nft -j list ruleset", R"({"nftables": []})");
  }
  FakeMachine host_;
};

TEST_F(UplinkChecks, HoldOnAMachineThatForwards) {
  for (const char* check : {"forwarding", "forwarding6", "redirects", "firewall", "connections"}) {
    const Finding finding = host_.finding(std::string("network.") + check);
    EXPECT_EQ(finding.reason, "") << check << ": " << finding.is;
  }
}

TEST_F(UplinkChecks, AskNothingWithoutAnUplink) {
  host_.farm.network.uplink = "";
  host_.write("/proc/sys/net/ipv4/ip_forward", "0\n");
  host_.write(kConnections, "1\n");
  host_.answers("nft -j list ruleset", kStrict);
  for (const char* check : {"forwarding", "forwarding6", "redirects", "firewall", "connections"}) {
    EXPECT_EQ(host_.finding(std::string("network.") + check).reason, "") << check;
  }
}

TEST_F(UplinkChecks, AskForForwarding) {
  host_.write("/proc/sys/net/ipv4/ip_forward", "0\n");
  EXPECT_EQ(host_.finding("network.forwarding").reason, "wrong-value");
}

TEST_F(UplinkChecks, KeepForwardingThatNobodyElseKeeps) {
  host_.remove("/etc/sysctl.d/50-router.conf");
  EXPECT_EQ(host_.finding("network.forwarding").reason, "not-kept");
  const auto answers = inspect(host_.context());
  ASSERT_THAT(answers, is_ok());
  bool kept = false;
  for (const Change& change : wanted_changes(host_.machine(), {}, *answers)) {
    if (change.place.name != kSysctlFile) continue;
    kept = true;
    EXPECT_THAT(*change.wanted, HasSubstr("net.ipv4.ip_forward = 1\n"));
    EXPECT_THAT(put(host_.machine(), change.place, change.wanted), is_ok());
  }
  EXPECT_TRUE(kept);
  EXPECT_EQ(host_.finding("network.forwarding").reason, "");
}

TEST_F(UplinkChecks, TakeNoRedirects) {
  host_.write(kRedirects, "1\n");
  EXPECT_EQ(host_.finding("network.redirects").reason, "wrong-value");
}

TEST_F(UplinkChecks, AskForForwardingOfIpv6OnlyWhereItIsRouted) {
  host_.farm.network.routed = true;
  EXPECT_EQ(host_.finding("network.forwarding6").reason, "wrong-value");
  EXPECT_EQ(host_.finding("network.forwarding6").needs.size(), 1U);
  host_.farm.network.pool6 = "";
  EXPECT_EQ(host_.finding("network.forwarding6").reason, "");
}

TEST_F(UplinkChecks, DoNotCutTheMachinesOwnWayOut) {
  host_.farm.network.routed = true;
  host_.answers("ip -j -6 route show default",
                R"([{"dst": "default", "gateway": "fe80::1", "dev": "eth0", "protocol": "ra"}])");
  host_.write("/proc/sys/net/ipv6/conf/eth0/accept_ra", "1\n");
  const Finding cut = host_.finding("network.forwarding6");
  EXPECT_EQ(cut.reason, "would-cut");
  EXPECT_TRUE(cut.needs.empty()) << "apply would do it";
  EXPECT_THAT(cut.advice, HasSubstr("'sysctl -w net/ipv6/conf/eth0/accept_ra=2'"));
  host_.write("/proc/sys/net/ipv6/conf/eth0/accept_ra", "2\n");
  EXPECT_EQ(host_.finding("network.forwarding6").reason, "wrong-value");
  host_.write("/proc/sys/net/ipv6/conf/eth0/accept_ra", "1\n");
  host_.write(kForward6, "1\n");
  host_.write("/etc/sysctl.d/51-router.conf", "net.ipv6.conf.all.forwarding = 1\n");
  EXPECT_EQ(host_.finding("network.forwarding6").reason, "") << "it forwards, and has its route";
  host_.write(kForward6, "0\n");
  host_.answers("ip -j -6 route show default",
                R"([{"dst": "default", "dev": "eth0", "protocol": "static"}])");
  EXPECT_EQ(host_.finding("network.forwarding6").reason, "wrong-value");
}

TEST_F(UplinkChecks, NameTheWallAndTheWayThrough) {
  host_.answers("nft -j list ruleset", kStrict);
  const Finding plain = host_.finding("network.firewall");
  EXPECT_EQ(plain.reason, "dropped");
  EXPECT_EQ(plain.is, "dropped by inet filter forward");
  EXPECT_THAT(plain.advice, HasSubstr("'nft insert rule inet filter forward iifname \"umlf*\" accept'"));
}

TEST_F(UplinkChecks, SayWhenTheFirewallCannotBeSeen) {
  for (const auto& [said, code] :
       {std::pair{"sh: not found\n", 127}, {"Operation not permitted\n", 1}, {"", 0}}) {
    host_.answers("nft -j list ruleset", said, code);
    EXPECT_EQ(host_.finding("network.firewall").reason, "not-seen") << said;
  }
}

TEST_F(UplinkChecks, CountTheConnectionsOfAllGuests) {
  host_.write(kConnections, "65536\n");
  const Finding few = host_.finding("network.connections");
  EXPECT_EQ(few.reason, "too-low");
  EXPECT_EQ(few.should, "at least 135168");
  // Of a machine as large as this, the kernel itself allows enough where it begins to count.
  host_.remove(kConnections);
  EXPECT_EQ(host_.finding("network.connections").reason, "");
  EXPECT_TRUE(host_.finding("network.connections").changes.empty());
  host_.write("/proc/meminfo", "MemTotal: 2000000 kB\n");
  EXPECT_EQ(host_.finding("network.connections").reason, "not-set");
  host_.write(kModuleFile, "");
  const std::vector<Change> changes = host_.finding("network.connections").changes;
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].place.name, kModuleFile);
  // No fewer buckets than without it, each for eight.
  EXPECT_THAT(*changes[0].wanted, HasSubstr("options nf_conntrack hashsize=65536\n"));
  EXPECT_THAT(put(host_.machine(), changes[0].place, changes[0].wanted), is_ok());
  EXPECT_EQ(host_.finding("network.connections").reason, "");
}

TEST_F(UplinkChecks, FindGuestsNetworkOnALink) {
  host_.farm.network.routed = true;
  host_.farm.network.pool6 = "2001:db8:1::/64";
  const std::string rest = " 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001 ";
  const auto reason = [&](const std::string& network, const std::string& device) {
    host_.write("/proc/net/ipv6_route", network + rest + device + "\n");
    return host_.finding("network.pools").reason;
  };
  const std::string zeros = "00000000000000000000000000000000";
  EXPECT_EQ(reason("20010db8000100000000000000000000 40 " + zeros, "eth0"), "collision");
  EXPECT_EQ(reason("20010db8000000000000000000000000 20 " + zeros, "eth0"), "collision");
  EXPECT_EQ(reason("20010db8000100000000000000000001 80 " + zeros, "lo"), "collision");
  EXPECT_EQ(reason("20010db8000200000000000000000000 40 " + zeros, "eth0"), "");
  EXPECT_EQ(reason("20010db8000100000000000000000000 40 " + zeros, "umlf0123abcd"), "");
  EXPECT_EQ(reason(zeros + " 00 " + zeros, "eth0"), "");
  host_.farm.network.routed = false;
  EXPECT_EQ(reason("20010db8000100000000000000000000 40 " + zeros, "eth0"), "");
}

// The kernel turns redirects on where forwarding is turned off.
TEST_F(UplinkChecks, LeaveRedirectsAsTheyAreWithForwarding) {
  const Place forwarding{Sort::Setting, "/proc/sys/net/ipv4/ip_forward"};
  EXPECT_THAT(put(host_.machine(), forwarding, "0"), is_ok());
  EXPECT_EQ(host_.read(kRedirects), "0");
}

}  // namespace
}  // namespace umlfarm::hostsetup
