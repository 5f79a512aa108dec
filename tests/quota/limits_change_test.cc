#include "quota/limits_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/result_matchers.h"

namespace umlfarm::quota {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using umlfarm::testing::is_error;
using umlfarm::testing::is_ok;

const Limits kBefore{
    ByteSize::mib(64), ByteSize::gib(1), ByteSize::mib(32), 100, 1, ByteSize::mib(256), 100, 0};

constexpr ByteSize kMost = ByteSize::gib(16);

Limits after(const LimitsChange& change, bool running = true) {
  const auto limits = changed(kBefore, change, running, kMost);
  EXPECT_THAT(limits, is_ok());
  return limits.value_or(Limits());
}

TEST(LimitsChange, LeavesWhatIsNotNamed) {
  EXPECT_EQ(after({}), kBefore);
  LimitsChange change;
  change.named["cpu_weight"] = 7U;
  Limits expected = kBefore;
  expected.cpu_weight = 7;
  EXPECT_EQ(after(change), expected);
}

TEST(LimitsChange, OfMemoryWithinItsCeilingTakesNoRestart) {
  for (const std::uint64_t size : {16, 64, 256}) {
    LimitsChange change;
    change.named["memory"] = ByteSize::mib(size);
    EXPECT_THAT(needs_restart(kBefore, after(change)), IsEmpty()) << size;
  }
  LimitsChange change;
  change.named["memory"] = ByteSize::mib(300);
  EXPECT_THAT(needs_restart(kBefore, after(change)), ElementsAre("memory ceiling 256 MiB -> 300 MiB"));
}

TEST(LimitsChange, NamesAllThatTakesARestart) {
  LimitsChange change;
  change.named["processes"] = 200U;
  change.named["processors"] = 2U;
  change.named["cpu_percent"] = 50U;
  EXPECT_THAT(needs_restart(kBefore, after(change)),
              ElementsAre("processes 100 -> 200", "processors 1 -> 2"));
}

TEST(LimitsChange, ToAPlanKeepsTheSwapAndARunningGuestsCeiling) {
  Plan plan;
  plan.limits = {ByteSize::mib(128), ByteSize::gib(50), ByteSize::mib(99), 100, 1};
  plan.limits.cpu_weight = 300;
  LimitsChange change;
  change.plan = plan;
  const Limits running = after(change);
  EXPECT_EQ(running.disk, kMost) << "as far as it can grow";
  EXPECT_EQ(running.swap, kBefore.swap);
  EXPECT_EQ(running.memory, ByteSize::mib(128));
  EXPECT_EQ(running.memory_ceiling, ByteSize::mib(256));
  EXPECT_EQ(running.cpu_weight, 300U);
  EXPECT_THAT(needs_restart(kBefore, running), IsEmpty());
  EXPECT_EQ(after(change, false).memory_ceiling, ByteSize::mib(128));
  change.named["memory"] = ByteSize::mib(32);
  EXPECT_EQ(after(change).memory, ByteSize::mib(32)) << "what is named goes before the plan";
}

TEST(LimitsChange, OfADiskOnlyMakesItLarger) {
  LimitsChange change;
  change.named["disk"] = ByteSize::gib(2);
  EXPECT_EQ(after(change).disk, ByteSize::gib(2));
  EXPECT_THAT(needs_restart(kBefore, after(change)), IsEmpty());
  change.named["disk"] = ByteSize::mib(512);
  EXPECT_THAT(changed(kBefore, change, true, kMost), is_error(Kind::Invalid, "only grows"));
  change.named["disk"] = ByteSize::gib(17);
  EXPECT_THAT(changed(kBefore, change, true, kMost), is_error(Kind::Invalid, "16 GiB"));
  change = {};
  change.plan = Plan();
  change.plan->limits = {ByteSize::mib(64), ByteSize::mib(100), ByteSize(), 100, 1};
  EXPECT_EQ(after(change).disk, kBefore.disk) << "a smaller plan leaves it";
  change.plan->limits.disk = ByteSize::gib(8);
  const auto old = changed(kBefore, change, true, kBefore.disk);
  ASSERT_THAT(old, is_ok());
  EXPECT_EQ(old->disk, kBefore.disk) << "so does a larger one what can't grow";
}

TEST(LimitsChange, RefusesWhatNoGuestCanHave) {
  LimitsChange change;
  change.named["memory"] = ByteSize::mib(1);
  EXPECT_THAT(changed(kBefore, change, true, kMost), is_error(Kind::Invalid, "memory"));
  change.named["memory"] = ByteSize::mib(64);
  change.named["memory_ceiling"] = ByteSize::mib(32);
  EXPECT_THAT(changed(kBefore, change, true, kMost), is_error(Kind::Invalid, "ceiling"));
  change = {};
  change.named["processors"] = 0U;
  EXPECT_THAT(changed(kBefore, change, true, kMost), is_error(Kind::Invalid, "processors"));
}

}  // namespace
}  // namespace umlfarm::quota
