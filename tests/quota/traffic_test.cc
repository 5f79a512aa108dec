#include "quota/traffic.h"

#include <gtest/gtest.h>

namespace umlfarm::quota {
namespace {

constexpr std::int64_t kDayBeforeTheLast = 1'795'996'799'999;  // 2026-11-29T23:59:59.999Z

TEST(Traffic, AddsWhatTheCountersHaveGainedAndNothingTwice) {
  Traffic traffic = counted({}, {"a", {1000, 10}}, "2026-11");
  traffic = counted(traffic, {"a", {1500, 10}}, "2026-11");
  EXPECT_EQ(traffic, counted(traffic, {"a", {1500, 10}}, "2026-11"));
  EXPECT_EQ(traffic.this_month, (Carried{1500, 10}));
  EXPECT_EQ(traffic.ever, (Carried{1500, 10}));
}

TEST(Traffic, GoesOnWhereCountersBeginAgain) {
  const Traffic before = counted({}, {"a", {1000, 100}}, "2026-11");
  // They may have passed where the old ones were.
  EXPECT_EQ(counted(before, {"b", {2000, 50}}, "2026-11").ever, (Carried{3000, 150}));
}

TEST(Traffic, CountsMonthsByThemselves) {
  Traffic traffic = counted({}, {"a", {1000, 100}}, "2026-11");
  traffic.told = true;
  traffic = counted(traffic, {"a", {1001, 102}}, "2026-12");
  EXPECT_EQ(traffic.this_month, (Carried{1, 2}));
  EXPECT_EQ(traffic.ever, (Carried{1001, 102}));
  EXPECT_FALSE(traffic.told);
}

TEST(Traffic, OpensNoMonthThatIsOver) {
  const Traffic before = counted({}, {"a", {1000, 100}}, "2026-11");
  const Traffic wrong = counted(before, {"a", {1001, 100}}, "1970-01");
  EXPECT_EQ(wrong.month, "2026-11");
  EXPECT_EQ(wrong.this_month, (Carried{1001, 100}));
}

TEST(Traffic, NeverFallsWhereACounterIsGone) {
  const Traffic before = counted({}, {"a", {1000, 100}}, "2026-11");
  const Traffic gone = counted(before, {"a", {0, 0}}, "2026-12");
  EXPECT_EQ(gone.this_month, Carried());
  EXPECT_EQ(counted(gone, {"a", {5, 5}}, "2026-12").ever, (Carried{1005, 105}));
}

TEST(Traffic, KnowsTheMonthByUtc) {
  EXPECT_EQ(month_of(kDayBeforeTheLast), "2026-11");
  EXPECT_EQ(month_of(kDayBeforeTheLast + 86'400'000), "2026-11");
  EXPECT_EQ(month_of(kDayBeforeTheLast + 86'400'001), "2026-12");
  EXPECT_EQ(month_of(0), "1970-01");
}

Limits with(TrafficEnd end) {
  Limits limits;
  limits.rate_in = BitRate::mbit(10);
  limits.traffic = ByteSize(1000);
  limits.traffic_end = end;
  limits.throttled_rate = BitRate::mbit(2);
  return limits;
}

TEST(Allowance, IsBothWaysTogether) {
  EXPECT_FALSE(used_up(counted({}, {"a", {500, 499}}, "2026-11"), with(TrafficEnd::Warn)));
  EXPECT_TRUE(used_up(counted({}, {"a", {500, 500}}, "2026-11"), with(TrafficEnd::Warn)));
  EXPECT_FALSE(used_up(counted({}, {"a", {500, 500}}, "2026-11"), {}));
}

TEST(Allowance, EndsAsThePlanSays) {
  const Traffic all = counted({}, {"a", {600, 600}}, "2026-11");
  const TapLimits before = tap_limits(with(TrafficEnd::Stop), {});
  EXPECT_EQ(before.rate_in, BitRate::mbit(10));
  EXPECT_FALSE(before.closed);
  EXPECT_EQ(tap_limits(with(TrafficEnd::Warn), all), before);
  EXPECT_TRUE(tap_limits(with(TrafficEnd::Stop), all).closed);
  const TapLimits slow = tap_limits(with(TrafficEnd::Throttle), all);
  EXPECT_FALSE(slow.closed);
  EXPECT_EQ(slow.rate_in, BitRate::mbit(2));
  EXPECT_EQ(slow.rate_out, BitRate::mbit(2));
  Limits already_slow = with(TrafficEnd::Throttle);
  already_slow.rate_out = BitRate::mbit(1);
  EXPECT_EQ(tap_limits(already_slow, all).rate_out, BitRate::mbit(1));
}

}  // namespace
}  // namespace umlfarm::quota
