// What an uplink asks of the machine.
#include <gmock/gmock.h>

#include "hostsetup/inspection.h"
#include "tests/hostsetup/fake_machine.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::hostsetup {
namespace {

using ::testing::HasSubstr;
using testing::is_ok;

constexpr const char* kForward6 = "/proc/sys/net/ipv6/conf/all/forwarding";
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
    host_.write(kForward6, "0\n");
    host_.write(kConnections, "262144\n");
    host_.answers("nft -j list ruleset", R"({"nftables": []})");
  }
  FakeMachine host_;
};

TEST_F(UplinkChecks, HoldOnAMachineThatForwards) {
  for (const char* check : {"forwarding", "forwarding6", "firewall", "connections"}) {
    const Finding finding = host_.finding(std::string("network.") + check);
    EXPECT_EQ(finding.reason, "") << check << ": " << finding.is;
  }
}

TEST_F(UplinkChecks, AskNothingWithoutAnUplink) {
  host_.farm.network.uplink = "";
  host_.write("/proc/sys/net/ipv4/ip_forward", "0\n");
  host_.write(kConnections, "1\n");
  host_.answers("nft -j list ruleset", kStrict);
  for (const char* check : {"forwarding", "forwarding6", "firewall", "connections"}) {
    EXPECT_EQ(host_.finding(std::string("network.") + check).reason, "") << check;
  }
}

TEST_F(UplinkChecks, AskForForwarding) {
  host_.write("/proc/sys/net/ipv4/ip_forward", "0\n");
  EXPECT_EQ(host_.finding("network.forwarding").reason, "wrong-value");
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
  EXPECT_THAT(cut.advice, HasSubstr("'sysctl -w net.ipv6.conf.eth0.accept_ra=2'"));
  host_.write("/proc/sys/net/ipv6/conf/eth0/accept_ra", "2\n");
  EXPECT_EQ(host_.finding("network.forwarding6").reason, "wrong-value");
  host_.write("/proc/sys/net/ipv6/conf/eth0/accept_ra", "1\n");
  host_.write(kForward6, "1\n");
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
  EXPECT_THAT(plain.advice, HasSubstr("'nft insert rule inet filter forward oifname \"umlf*\" accept'"));
  host_.answers("systemctl is-active firewalld", "active\n");
  EXPECT_THAT(host_.finding("network.firewall").advice, HasSubstr("'firewall-cmd "));
  host_.write("/etc/ufw/ufw.conf", "# on?\nENABLED=yes\n");
  EXPECT_THAT(host_.finding("network.firewall").advice, HasSubstr("'ufw route allow in on umlf+'"));
}

TEST_F(UplinkChecks, KnowDocker) {
  std::string ruleset = kStrict;
  ruleset.insert(ruleset.size() - 2,
                 R"(, {"chain": {"family": "ip", "table": "filter", "name": "DOCKER-USER"}})");
  host_.answers("nft -j list ruleset", ruleset);
  EXPECT_THAT(host_.finding("network.firewall").advice, HasSubstr("DOCKER-USER -i umlf+"));
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
  host_.remove(kConnections);
  EXPECT_EQ(host_.finding("network.connections").reason, "not-set");
  // 32768 buckets allow 262144.
  host_.write(kModuleFile, "");
  const auto answers = inspect(host_.context());
  ASSERT_THAT(answers, is_ok());
  bool found = false;
  for (const Change& change : wanted_changes(host_.machine(), {}, *answers)) {
    if (change.place.name != kModuleFile) continue;
    found = true;
    EXPECT_THAT(*change.wanted, HasSubstr("options nf_conntrack hashsize=32768\n"));
    EXPECT_THAT(put(host_.machine(), change.place, change.wanted), is_ok());
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(host_.finding("network.connections").reason, "");
}

}  // namespace
}  // namespace umlfarm::hostsetup
