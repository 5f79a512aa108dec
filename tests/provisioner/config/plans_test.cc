#include <gtest/gtest.h>

#include "provisioner/config/config.h"
#include "quota/ledger.h"
#include "quota/limit_fields.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::config {
namespace {

using testing::is_error;
using testing::is_ok;

std::vector<std::string> plan_names(const Config& config) {
  std::vector<std::string> names;
  for (const quota::Plan& plan : config.plans) names.push_back(plan.name);
  return names;
}

TEST(ConfigPlans, AreFiveThatGuestsCanHaveUnlessTheFileSaysOtherwise) {
  const Config config = defaults();
  EXPECT_THAT(plan_names(config), ::testing::ElementsAre("tiny", "small", "medium", "large", "capacity"));
  for (const quota::Plan& plan : config.plans) {
    EXPECT_THAT(quota::check_limits(plan.limits), is_ok()) << plan.name;
    EXPECT_NE(plan.summary, "") << plan.name;
  }
  EXPECT_THAT(plan_names(config), ::testing::Contains(config.guests.default_plan));
}

TEST(ConfigPlans, OfTheFileReplaceTheOthers) {
  const auto config = parse(R"(
[[plan]]
name = "shell"
memory = "48M"
disk = "1G"
swap = "64M"
processes = 128
processors = 2
summary = "campus shell"
kernel = "fast"
durable_disks = false
tap_offload = false
[[plan]]
name = "bare"
memory = "16M"
disk = "1M"
)",
                            "f");
  ASSERT_THAT(config, is_ok());
  ASSERT_THAT(plan_names(*config), ::testing::ElementsAre("shell", "bare"));
  const quota::Plan& shell = config->plans[0];
  EXPECT_EQ(shell.limits.memory, ByteSize::mib(48));
  EXPECT_EQ(shell.limits.disk, ByteSize::gib(1));
  EXPECT_EQ(shell.limits.swap, ByteSize::mib(64));
  EXPECT_EQ(shell.limits.processes, 128U);
  EXPECT_EQ(shell.limits.processors, 2U);
  EXPECT_EQ(shell.summary, "campus shell");
  EXPECT_EQ(shell.kernel, "fast");
  EXPECT_FALSE(shell.durable_disks);
  EXPECT_FALSE(shell.tap_offload);
  const quota::Plan& bare = config->plans[1];
  EXPECT_EQ(bare.limits.swap, ByteSize(0));
  EXPECT_EQ(bare.limits.processes, quota::Limits().processes);
  EXPECT_EQ(bare.limits.processors, 1U);
  EXPECT_EQ(bare.summary, "");
  EXPECT_EQ(bare.kernel, "");
  EXPECT_TRUE(bare.durable_disks);
  EXPECT_TRUE(bare.tap_offload);
}

TEST(ConfigPlans, MustHoldTheOneNamedAsDefault) {
  const std::string plan = "[[plan]]\nname = 'a'\nmemory = '32M'\ndisk = '1G'\n";
  EXPECT_THAT(parse("[guests]\ndefault_plan = 'a'\n" + plan, "f"), is_ok());
  EXPECT_THAT(parse("[guests]\ndefault_plan = 'b'\n" + plan, "f"), is_error(Kind::Invalid, "f:2:"));
  EXPECT_THAT(parse("[guests]\ndefault_plan = 'a'", "f"), is_error(Kind::Invalid, "plan 'a'"));
}

TEST(ConfigPlans, RefuseWhatNoGuestCanHave) {
  const struct {
    const char* keys;
    const char* fault;
  } rows[] = {
      {"memory = '32M'\ndisk = '1G'", "plan name"},
      {"name = ''\nmemory = '32M'\ndisk = '1G'", "plan name"},
      {"name = 'No Name'\nmemory = '32M'\ndisk = '1G'", "No Name"},
      {"name = '../x'\nmemory = '32M'\ndisk = '1G'", "../x"},
      {"name = 'a'\ndisk = '1G'", "memory"},
      {"name = 'a'\nmemory = '15M'\ndisk = '1G'", "memory"},
      {"name = 'a'\nmemory = '65G'\ndisk = '1G'", "memory"},
      {"name = 'a'\nmemory = '33554433'\ndisk = '1G'", "memory"},
      {"name = 'a'\nmemory = '32M'", "disk"},
      {"name = 'a'\nmemory = '32M'\ndisk = '8T'", "disk"},
      {"name = 'a'\nmemory = '32M'\ndisk = '1G'\nswap = '8T'", "swap"},
      {"name = 'a'\nmemory = '32M'\ndisk = '1G'\nkernel = 'No Name'", "No Name"},
      {"name = 'a'\nmemory = '32M'\ndisk = '1G'\nrate_out = '1kbit'", "rate of 1 kbit"},
  };
  for (const auto& row : rows) {
    const auto refused = parse("admins = []\n[[plan]]\n" + std::string(row.keys), "f");
    EXPECT_THAT(refused, is_error(Kind::Invalid, row.fault)) << row.keys;
    EXPECT_THAT(refused, is_error(Kind::Invalid, "f:2:")) << row.keys;
  }
}

TEST(ConfigPlans, RefuseAValueOfAnotherTypeOnItsLine) {
  std::vector<std::string_view> keys{"name", "summary", "kernel", "durable_disks", "tap_offload"};
  for (const quota::LimitField& field : quota::limit_fields()) keys.push_back(field.name);
  for (const std::string_view key : keys) {
    const auto refused = parse("[[plan]]\n\n" + std::string(key) + " = 1.5", "f");
    EXPECT_THAT(refused, is_error(Kind::Invalid, "f:3: " + std::string(key) + ": must be"));
  }
}

TEST(ConfigPlans, RefuseWordsThatTheyDoNotKnowOnTheirLine) {
  for (const auto& [key, word] :
       {std::pair{"rate_in", "10M"}, {"throttled_rate", "slow"}, {"traffic_end", "cut"}}) {
    const auto refused = parse("[[plan]]\n\n" + std::string(key) + " = '" + word + "'", "f");
    EXPECT_THAT(refused, is_error(Kind::Invalid, "f:3: " + std::string(key) + ": ")) << key;
    EXPECT_THAT(refused, is_error(Kind::Invalid, "'" + std::string(word) + "'")) << key;
  }
}

TEST(ConfigPlans, KeepTheNumberOfProcessesWithinItsRange) {
  const std::string plan = "[[plan]]\nname = 'a'\nmemory = '32M'\ndisk = '1G'\nprocesses = ";
  for (const char* good : {"16", "1000000"}) EXPECT_THAT(parse(plan + good, "f"), is_ok()) << good;
  for (const char* bad : {"15", "0", "-1", "1000001"})
    EXPECT_THAT(parse(plan + bad, "f"), is_error(Kind::Invalid, "processes")) << bad;
}

TEST(ConfigPlans, KeepTheNumberOfProcessorsWithinItsRange) {
  const std::string plan = "[[plan]]\nname = 'a'\nmemory = '32M'\ndisk = '1G'\nprocessors = ";
  for (const char* good : {"1", "64"}) EXPECT_THAT(parse(plan + good, "f"), is_ok()) << good;
  for (const char* bad : {"0", "-1", "65"})
    EXPECT_THAT(parse(plan + bad, "f"), is_error(Kind::Invalid, "processors")) << bad;
}

TEST(ConfigPlans, AreWrittenAsAListOfTables) {
  for (const char* document :
       {"\nplan = 1", "\nplan = 'small'", "\n[plan]\nname = 'a'", "\nplan = [1]", "\nplan = []"}) {
    EXPECT_THAT(parse(document, "f"), is_error(Kind::Invalid, "f:2: plans are written as [[plan]]"))
        << document;
  }
}

}  // namespace
}  // namespace umlfarm::config
