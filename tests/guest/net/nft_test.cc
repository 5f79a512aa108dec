// The firewall's commands as nft and the kernel understand them, in a network namespace made for it.
#include <gtest/gtest.h>

#include "guest/net/firewall.h"
#include "guest/net/uplink.h"
#include "provisioner/base/atomic_file.h"
#include "tests/guest/disk/programs.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::guest {
namespace {

using ::testing::HasSubstr;
using testing::is_ok;
using ::testing::Not;
using testing::run;

const quota::TapLimits kHeld{{}, {}, {}, 700, true};

class Nft : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto probe = in_namespace("nft add table bridge probe");
    if (probe.exit_code != 0) GTEST_SKIP() << "no nftables in a user namespace here: " << probe.output;
    write("rules", ruleset("umlbr0", "tg", true, "7"));
  }

  void write(const std::string& name, const std::string& commands) {
    ASSERT_THAT(write_file_atomically(directory_ / name, commands, 0600), is_ok());
  }

  // One namespace for each call; the files lie in its working directory.
  testing::Outcome in_namespace(const std::string& command) const {
    return run("cd " + directory_.path() + " && exec unshare -Urn sh -e -c '" + command + "'");
  }

  testing::TemporaryDirectory directory_;
  const Port port_{"tg17", "02:12:34:00:00:11", "10.77.0.2/16", "fd77::2/64"};
  const Port other_{"tg18", "02:12:34:00:00:12", "10.77.0.3/16", ""};
};

TEST_F(Nft, FindsNoFaultInAnyCommand) {
  write("all", ruleset("umlbr0", "tg", true, "7") + allow_command(port_) + allow_command(other_) +
                   forget_command(port_) + reset_command({{port_, kHeld}, {other_, {}}}) +
                   limit_command({port_, kHeld}) + forget_count_command("tg17"));
  const auto checked = in_namespace("nft -c -f all");
  EXPECT_EQ(checked.exit_code, 0) << checked.output;
}

TEST_F(Nft, TakesTheRulesAgainWithoutLosingWhoIsAllowed) {
  write("allow", allow_command(port_));
  const auto once = in_namespace("nft -f rules; nft -f allow; nft list ruleset");
  ASSERT_EQ(once.exit_code, 0) << once.output;
  EXPECT_THAT(once.output, HasSubstr("02:12:34:00:00:11 . 10.77.0.2"));
  const auto twice = in_namespace("nft -f rules; nft -f allow; nft -f rules; nft -f allow; nft list ruleset");
  EXPECT_EQ(twice.exit_code, 0);
  EXPECT_EQ(twice.output, once.output);
}

TEST_F(Nft, ForgetsAGuestEvenWhenItNeverWasAllowed) {
  write("allow", allow_command(port_) + allow_command(other_));
  write("forget", forget_command(port_));
  const auto known = in_namespace("nft -f rules; nft -f allow; nft -f forget; nft list ruleset");
  ASSERT_EQ(known.exit_code, 0) << known.output;
  EXPECT_THAT(known.output, Not(HasSubstr("tg17")));
  EXPECT_THAT(known.output, HasSubstr("10.77.0.3"));
  const auto unknown = in_namespace("nft -f rules; nft -f forget; nft -f forget; nft list ruleset");
  EXPECT_EQ(unknown.exit_code, 0) << unknown.output;
  EXPECT_THAT(unknown.output, Not(HasSubstr("tg17")));
}

TEST_F(Nft, HoldsATapToItsOwnLimitsAndOnlyWhileItHasThem) {
  const std::string limits[] = {limit_command({port_, kHeld}),
                                limit_command({port_, {{}, {}, {}, 90, false}}),
                                limit_command({port_, {}}) + limit_command({port_, {}})};
  const auto listed = [&](int count) {
    std::string commands = "nft -f rules";
    for (int i = 0; i < count; ++i) {
      write("limit" + std::to_string(i), limits[i]);
      commands += "; nft -f limit" + std::to_string(i);
    }
    const auto ran = in_namespace(commands + "; nft list table bridge umlfarm");
    EXPECT_EQ(ran.exit_code, 0) << ran.output;
    return ran.output;
  };
  EXPECT_THAT(listed(1), HasSubstr("\"tg17\" limit rate over 700/second burst 35 packets"));
  EXPECT_THAT(listed(1), HasSubstr("elements = { \"tg17\" }")) << "closed";
  EXPECT_THAT(listed(2), HasSubstr("\"tg17\" limit rate over 90/second burst 16 packets"));
  EXPECT_THAT(listed(2), Not(HasSubstr("elements = { \"tg17\" }")));
  EXPECT_THAT(listed(3), Not(HasSubstr("/second burst")));
  EXPECT_THAT(listed(3), HasSubstr("\"tg17\" counter packets 0 bytes 0"));
}

TEST_F(Nft, KeepsItsCountersAndTheirNameOverNewRulesAndLimits) {
  write("limit", limit_command({port_, kHeld}));
  write("newer", ruleset("umlbr0", "tg", true, "8"));
  write("allow", allow_command(port_));
  write("forget", forget_command(port_));
  write("reset", reset_command({}));
  const std::string count = "nft list set bridge umlfarm count_out";
  const auto once = in_namespace("nft -f rules; nft -f limit; " + count);
  ASSERT_EQ(once.exit_code, 0) << once.output;
  EXPECT_THAT(once.output, HasSubstr("comment \"7\""));
  EXPECT_THAT(once.output, HasSubstr("tg17"));
  const auto later = in_namespace(
      "nft -f rules; nft -f limit; nft -f newer; nft -f limit; nft -f allow; nft -f forget; nft -f reset; " +
      count);
  EXPECT_EQ(later.output, once.output);
  write("uncount", forget_count_command("tg17"));
  const auto gone = in_namespace("nft -f rules; nft -f limit; nft -f uncount; nft -f uncount; " + count);
  EXPECT_EQ(gone.exit_code, 0) << gone.output;
  EXPECT_THAT(gone.output, Not(HasSubstr("tg17")));
}

TEST_F(Nft, KnowsOnlyThoseOfAReset) {
  write("allow", allow_command(port_));
  write("reset", reset_command({{other_, {}}}));
  const auto reset = in_namespace("nft -f rules; nft -f allow; nft -f reset; nft list ruleset");
  ASSERT_EQ(reset.exit_code, 0) << reset.output;
  EXPECT_THAT(reset.output, Not(HasSubstr("tg17")));
  EXPECT_THAT(reset.output, HasSubstr("\"tg18\" . 02:12:34:00:00:12 . 10.77.0.3"));
}

TEST_F(Nft, TakesTheRulesOfTheWayOutAgainInPlaceOfThoseBefore) {
  const UplinkAddresses ends{"10.78.0.1/30", "10.78.0.2/30"};
  std::string before;
  for (const UplinkConfig& config : {UplinkConfig{ends, "", ""}, UplinkConfig{ends, "10.77.0.0/16", ""},
                                     UplinkConfig{ends, "10.77.0.0/16", "fd77::/64"}}) {
    write("farm", uplink_farm_rules("umlbr0", "umlup0", config));
    write("machine", uplink_machine_rules("umlfarm_12ab", "umlf12ab", config));
    const auto once = in_namespace("nft -f rules; nft -f farm; nft -f machine; nft list ruleset");
    ASSERT_EQ(once.exit_code, 0) << once.output;
    EXPECT_THAT(once.output, HasSubstr("168.63.129.16"));
    EXPECT_EQ(once.output.find("masquerade") == std::string::npos, !config.routed4.empty());
    EXPECT_EQ(once.output.find("ip6 daddr @guests6") == std::string::npos, config.routed6.empty());
    EXPECT_NE(once.output, before);
    before = once.output;
    const auto twice = in_namespace(
        "nft -f rules; nft -f farm; nft -f machine; nft -f rules; nft -f farm; nft -f machine; nft list "
        "ruleset");
    EXPECT_EQ(twice.exit_code, 0);
    EXPECT_EQ(twice.output, once.output);
  }
}

TEST_F(Nft, ForwardsNothingWithoutAWayOut) {
  const auto rules = in_namespace("nft -f rules; nft list chain inet umlfarm forward");
  ASSERT_EQ(rules.exit_code, 0) << rules.output;
  EXPECT_THAT(rules.output, HasSubstr("policy drop"));
  EXPECT_THAT(rules.output, Not(HasSubstr("accept")));
}

TEST_F(Nft, DropsAnythingOfAGuestThatNoRuleLetsThrough) {
  const auto rules = in_namespace("nft -f rules; nft list chain bridge umlfarm guest");
  ASSERT_EQ(rules.exit_code, 0) << rules.output;
  const std::size_t last = rules.output.rfind("drop");
  ASSERT_NE(last, std::string::npos) << rules.output;
  EXPECT_EQ(rules.output.find("accept", last), std::string::npos);
  EXPECT_EQ(rules.output.find("goto", last), std::string::npos);
  const std::size_t line = rules.output.rfind('\n', last) + 1;
  EXPECT_EQ(rules.output.find_first_not_of("\t ", line), last) << "the last drop asks for nothing";
}

}  // namespace
}  // namespace umlfarm::guest
