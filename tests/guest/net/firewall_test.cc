#include "guest/net/firewall.h"

#include <gtest/gtest.h>

namespace umlfarm::guest {
namespace {

const Port kPort{"tg17", "02:12:34:00:00:11", "10.77.0.2", "fd77::2"};
const Port kOther{"tg18", "02:12:34:00:00:12", "10.77.0.3", ""};

TEST(AllowCommand, LetsAGuestSpeakAsItself) {
  EXPECT_EQ(allow_command(kPort),
            "add element bridge umlfarm macs { \"tg17\" . 02:12:34:00:00:11 }\n"
            "add element bridge umlfarm sources6 { \"tg17\" . 02:12:34:00:00:11 . fe80::12:34ff:fe00:11 }\n"
            "add element bridge umlfarm sources4 { \"tg17\" . 02:12:34:00:00:11 . 10.77.0.2 }\n"
            "add element inet umlfarm guests4 { 10.77.0.2 }\n"
            "add element bridge umlfarm sources6 { \"tg17\" . 02:12:34:00:00:11 . fd77::2 }\n"
            "add element inet umlfarm guests6 { fd77::2 }\n");
}

TEST(AllowCommand, GivesNoAddressThatTheGuestDoesNotHave) {
  EXPECT_EQ(allow_command(kOther),
            "add element bridge umlfarm macs { \"tg18\" . 02:12:34:00:00:12 }\n"
            "add element bridge umlfarm sources6 { \"tg18\" . 02:12:34:00:00:12 . fe80::12:34ff:fe00:12 }\n"
            "add element bridge umlfarm sources4 { \"tg18\" . 02:12:34:00:00:12 . 10.77.0.3 }\n"
            "add element inet umlfarm guests4 { 10.77.0.3 }\n");
}

TEST(AllowCommand, TakesAddressesWithTheirPrefixToo) {
  Port port = kPort;
  port.address4 += "/16";
  port.address6 += "/64";
  EXPECT_EQ(allow_command(port), allow_command(kPort));
  EXPECT_EQ(forget_command(port), forget_command(kPort));
}

TEST(ForgetCommand, DeletesAllThatWasAllowedAndFirstMakesSureThatItIsThere) {
  std::string deletions = allow_command(kPort);
  for (std::size_t at = deletions.find("add "); at != std::string::npos; at = deletions.find("add ", at)) {
    deletions.replace(at, 3, "delete");
  }
  EXPECT_TRUE(forget_command(kPort).starts_with(allow_command(kPort) + deletions));
}

TEST(ResetCommand, EmptiesEverySetBeforeItAllowsAnybody) {
  const std::string flush =
      "flush set bridge umlfarm macs\n"
      "flush set bridge umlfarm sources4\n"
      "flush set bridge umlfarm sources6\n"
      "flush set inet umlfarm guests4\n"
      "flush set inet umlfarm guests6\n"
      "flush set bridge umlfarm packets_in\n"
      "flush set bridge umlfarm packets_out\n"
      "flush set bridge umlfarm closed\n";
  EXPECT_EQ(reset_command({}), flush);
  const LimitedPort limited{kPort, {{}, {}, {}, 100, true}};
  EXPECT_EQ(reset_command({limited, {kOther, {}}}), flush + allow_command(kPort) + limit_command(limited) +
                                                        allow_command(kOther) + limit_command({kOther, {}}));
}

TEST(Ruleset, KnowsTheBridgeAndTheTapsByName) {
  const std::string rules = ruleset("br7", "tq", true, "7");
  EXPECT_NE(rules.find("iifname \"br7\""), std::string::npos);
  EXPECT_NE(rules.find("iifname \"tq*\""), std::string::npos);
}

TEST(Counters, AreReadAsTheyArePrinted) {
  const auto printed = [](const std::string& set) {
    return R"({"nftables": [{"metainfo": {"version": "1.0.6"}}, {"set": {"name": "x")" + set + "}}]}";
  };
  const std::string in =
      printed(R"(, "elem": [{"elem": {"val": "tg1", "counter": {"packets": 2, "bytes": 30}}},
    {"elem": {"val": "tg2", "counter": {"packets": 1, "bytes": 12345678901234}}}])");
  const std::string out = printed(
      R"(, "comment": "ab12", "elem": [{"elem": {"val": "tg1", "counter": {"packets": 3, "bytes": 7}}}])");
  const auto counters = read_counters(in, out);
  ASSERT_TRUE(counters);
  EXPECT_EQ(counters->made, "ab12");
  ASSERT_EQ(counters->by_tap.size(), 2U);
  EXPECT_EQ(counters->by_tap.at("tg1").in, 30U);
  EXPECT_EQ(counters->by_tap.at("tg1").out, 7U);
  EXPECT_EQ(counters->by_tap.at("tg2").in, 12'345'678'901'234U);
  EXPECT_EQ(counters->by_tap.at("tg2").out, 0U);
  EXPECT_EQ(counters->packets.at("tg1"), (quota::Carried{2, 3}));
  EXPECT_TRUE(read_counters(printed(""), printed(""))) << "sets without anybody";
  for (const char* const wrong : {"", "{}", "{\"nftables\": []}"})
    EXPECT_FALSE(read_counters(in, wrong)) << wrong;
}

}  // namespace
}  // namespace umlfarm::guest
