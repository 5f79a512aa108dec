// Packet filters as nft writes them, made in a network namespace of the test's own.
#include "hostsetup/firewalls.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/guest/disk/programs.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::hostsetup {
namespace {

using testing::is_error;
using testing::is_ok;

const Passage kRouted{"umlf", true, true, "eth0"};
const Passage kTranslated{"umlf", false, false, "eth0"};

class Firewalls : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto probe = testing::run("unshare -Urn nft add table inet probe");
    if (probe.exit_code != 0) GTEST_SKIP() << "no nftables in a user namespace here: " << probe.output;
  }

  static std::string ruleset(const std::string& commands) {
    const testing::TemporaryDirectory directory;
    std::ofstream(directory / "rules") << commands;
    const auto listed = testing::run("cd " + directory.path() +
                                     " && unshare -Urn sh -e -c 'nft -f rules; nft -j list ruleset'");
    EXPECT_EQ(listed.exit_code, 0) << listed.output;
    return listed.output;
  }

  static std::vector<std::string> found(const std::string& commands, const Passage& passage = kRouted) {
    const auto walls = obstacles(ruleset(commands), passage);
    EXPECT_THAT(walls, is_ok());
    std::vector<std::string> names;
    for (const Obstacle& wall : *walls) names.push_back(wall.str());
    return names;
  }
};

const std::string kStrict =
    "add table inet filter\n"
    "add chain inet filter forward { type filter hook forward priority 0; policy drop; }\n";
const std::vector<std::string> kFound{"inet filter forward"};

TEST_F(Firewalls, AreInNobodysWayWhereTheyLetForward) {
  EXPECT_TRUE(found("").empty());
  EXPECT_TRUE(found("add table inet filter\n"
                    "add chain inet filter forward { type filter hook forward priority 0; policy accept; }\n"
                    "add chain inet filter input { type filter hook input priority 0; policy drop; }\n"
                    "add rule inet filter forward ct state invalid drop\n")
                  .empty());
}

TEST_F(Firewalls, AreInTheWayWhereTheyDropTheRest) {
  EXPECT_EQ(found(kStrict), kFound);
  for (const char* last : {"drop", "reject", "counter reject with icmpx type admin-prohibited"}) {
    EXPECT_EQ(found("add table inet filter\n"
                    "add chain inet filter forward { type filter hook forward priority 0; policy accept; }\n"
                    "add rule inet filter forward ct state established accept\n"
                    "add rule inet filter forward " +
                    std::string(last) + "\n"),
              kFound)
        << last;
  }
}

TEST_F(Firewalls, AreOutOfTheWayOnceTheyKnowBothDirections) {
  const std::string in = "insert rule inet filter forward iifname \"umlf*\" accept\n";
  const std::string out = "insert rule inet filter forward oifname \"umlf*\" accept\n";
  EXPECT_EQ(found(kStrict + in), kFound);
  EXPECT_EQ(found(kStrict + out), kFound);
  EXPECT_TRUE(found(kStrict + in + out).empty());
  EXPECT_TRUE(found(kStrict + "add chain inet filter ours\nadd rule inet filter forward jump ours\n" +
                    "add rule inet filter ours iifname { \"lo\", \"umlf12\" } accept\n" +
                    "add rule inet filter ours oifname \"umlf12\" ct state established accept\n")
                  .empty());
  EXPECT_EQ(found(kStrict + "insert rule inet filter forward iifname \"umlf*\" drop\n" + out), kFound);
  EXPECT_EQ(found(kStrict + "insert rule inet filter forward iifname \"eth0\" accept\n" + out), kFound);
}

TEST_F(Firewalls, KnowTheWayOnlyInChainsThatForwardingReaches) {
  const std::string chains = "add chain inet filter ours\nadd chain inet filter inner\n";
  const std::string rules =
      "add rule inet filter inner iifname \"umlf*\" accept\nadd rule inet filter inner oifname \"umlf*\" "
      "accept\n";
  EXPECT_EQ(found(kStrict + chains + rules), kFound);
  EXPECT_TRUE(found(kStrict + chains + rules + "add rule inet filter ours jump inner\n" +
                    "add rule inet filter forward ip protocol vmap { tcp : jump ours, udp : drop }\n")
                  .empty());
}

TEST_F(Firewalls, AreEachToldForThemselves) {
  const std::string second =
      "add table ip other\nadd chain ip other pass { type filter hook forward priority 5; policy drop; }\n"
      "add rule ip other pass iifname \"umlf*\" accept\nadd rule ip other pass oifname \"umlf*\" accept\n";
  EXPECT_EQ(found(kStrict + second), kFound);
}

TEST_F(Firewalls, DoNotCountTheFarmsOwn) {
  EXPECT_TRUE(
      found("add table inet umlfarm_12\n"
            "add chain inet umlfarm_12 forward { type filter hook forward priority 0; policy drop; }\n")
          .empty());
}

TEST_F(Firewalls, NeedNotKnowWhatDoesNotCome) {
  const std::string in = "insert rule inet filter forward iifname \"umlf*\" accept\n";
  const std::string answers = "add rule inet filter forward ct state established,related accept\n";
  EXPECT_TRUE(found(kStrict + in + answers, kTranslated).empty());
  EXPECT_EQ(found(kStrict + in + answers, kRouted), kFound);
  EXPECT_EQ(found(kStrict + in, kTranslated), kFound);
  EXPECT_EQ(
      found(kStrict + in + "add rule inet filter forward oifname \"docker0\" ct state established accept\n",
            kTranslated),
      kFound);
  const std::string six =
      "add table ip6 filter\nadd chain ip6 filter FORWARD { type filter hook forward priority 0; policy "
      "drop; }\n";
  EXPECT_TRUE(found(six, kTranslated).empty());
  EXPECT_EQ(found(six, kRouted), std::vector<std::string>{"ip6 filter FORWARD"});
}

TEST_F(Firewalls, MayTellDevicesByAMap) {
  EXPECT_TRUE(found(kStrict +
                    "add rule inet filter forward iifname vmap { \"eth0\" : drop, \"umlf*\" : accept }\n" +
                    "add rule inet filter forward oifname \"umlf*\" accept\n")
                  .empty());
}

std::string advice(const std::string& ruleset, const Passage& passage) {
  const auto walls = obstacles(ruleset, passage);
  EXPECT_THAT(walls, is_ok());
  return way_through(*walls, passage);
}

TEST_F(Firewalls, AreOpenedByWhoeverKeepsThem) {
  EXPECT_EQ(advice(ruleset(kStrict), kRouted),
            "run 'nft insert rule inet filter forward iifname \"umlf*\" accept', 'nft insert rule inet "
            "filter forward "
            "oifname \"umlf*\" accept', and put the same into the file that makes the table, such as "
            "/etc/nftables.conf");
  EXPECT_EQ(
      advice(ruleset(kStrict), kTranslated),
      "run 'nft insert rule inet filter forward iifname \"umlf*\" accept', 'nft insert rule inet filter "
      "forward "
      "oifname \"umlf*\" ct state established,related accept', and put the same into the file that makes the "
      "table, such as /etc/nftables.conf");
  std::string both;
  for (const std::string family : {"ip", "ip6"}) {
    both += "add table " + family + " filter\nadd chain " + family +
            " filter FORWARD { type filter hook forward priority 0; policy drop; }\n";
  }
  EXPECT_EQ(
      advice(ruleset(both + "add chain ip filter ufw-user-forward\nadd chain ip6 filter ufw6-user-forward\n"),
             kRouted),
      "run 'ufw route allow in on umlf+', 'ufw route allow out on umlf+'");
  EXPECT_EQ(
      advice(ruleset(both + "add chain ip filter DOCKER-USER\nadd chain ip6 filter DOCKER-USER\n"), kRouted),
      "run 'iptables -I DOCKER-USER -i umlf+ -o eth0 -j ACCEPT', 'iptables -I DOCKER-USER -o umlf+ -i eth0 "
      "-j "
      "ACCEPT', 'ip6tables -I DOCKER-USER -i umlf+ -o eth0 -j ACCEPT', 'ip6tables -I DOCKER-USER -o umlf+ -i "
      "eth0 "
      "-j ACCEPT', each time that Docker has started");
}

// As iptables-nft writes a target that nft has no word for.
TEST(FirewallsText, MayRefuseInTheWordsOfIptables) {
  const std::string ruleset =
      R"({"nftables": [{"chain": {"family": "ip", "table": "filter", "name": "FORWARD", "hook": "forward", "policy": "accept"}},
          {"rule": {"family": "ip", "table": "filter", "chain": "FORWARD",
                    "expr": [{"counter": {}}, {"xt": {"type": "target", "name": "REJECT"}}]}}]})";
  EXPECT_EQ(obstacles(ruleset, kTranslated)->size(), 1U);
}

TEST(FirewallsText, IsRefusedWhereItIsNoRuleset) {
  for (const char* text : {"", "{", "[]", "{}", "{\"nftables\": 1}"})
    EXPECT_THAT(obstacles(text, kRouted), is_error(Kind::Invalid, "nft -j")) << text;
  EXPECT_THAT(obstacles("{\"nftables\": [1, {\"rule\": 2}, {\"chain\": {}}]}", kRouted), is_ok());
}

}  // namespace
}  // namespace umlfarm::hostsetup
