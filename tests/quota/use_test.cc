#include "quota/use.h"

#include <gmock/gmock.h>

#include "tests/support/result_matchers.h"

namespace umlfarm::quota {
namespace {

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kBegin = 1000 * kHourMs;  // on the hour

Moment moment(std::int64_t ms, const std::string& boot = "b") { return {kBegin + ms, 500'000 + ms, boot}; }

UseReading running(std::int64_t started, std::uint64_t cpu_ns = 0) {
  UseReading reading;
  reading.cpu_made = "b 1";
  reading.cpu_ns = cpu_ns;
  reading.memory = 100 * kUseBlock;
  reading.memory_held = 10 * kUseBlock - 1;
  reading.disk = 1000 * kUseBlock;
  reading.disk_held = 500 * kUseBlock;
  reading.running = true;
  reading.started_ms = kBegin + started;
  return reading;
}

UseSeen first_seen(const UseReading& reading, const Moment& at) { return seen({}, reading, at); }

Use sum(const std::map<Hour, Use>& hours) {
  Use all;
  for (const auto& [hour, use] : hours) all = plus(all, use);
  return all;
}

TEST(Use, IsCountedWithinAnHour) {
  const auto hours = used_between(first_seen(running(0), moment(0)), running(0, 7), moment(10 * kMinute));
  ASSERT_EQ(hours.size(), 1U);
  const Use& use = hours.at(1000);
  EXPECT_EQ(use.cpu_ns, 7U);
  EXPECT_EQ(use.running_ms, 10U * kMinute);
  EXPECT_EQ(use.stopped_ms + use.suspended_ms, 0U);
  EXPECT_EQ(use.memory_promised, 100U * 10 * kMinute);
  EXPECT_EQ(use.memory_held, 10U * 10 * kMinute);
  EXPECT_EQ(use.disk_promised, 1000U * 10 * kMinute);
  EXPECT_EQ(use.disk_held, 500U * 10 * kMinute);
}

TEST(Use, OfManyHoursIsSpreadOverThemAndNothingIsLost) {
  UseReading now = running(0, 1'000'003);
  now.traffic = {77, 10'000'000'000'000};
  const auto hours = used_between(first_seen(running(0), moment(30 * kMinute)), now, moment(3 * kHourMs + 1));
  ASSERT_EQ(hours.size(), 4U);
  EXPECT_EQ(hours.at(1000).running_ms, 30U * kMinute);
  EXPECT_EQ(hours.at(1001).running_ms, static_cast<std::uint64_t>(kHourMs));
  EXPECT_EQ(hours.at(1003).running_ms, 1U);
  EXPECT_NEAR(static_cast<double>(hours.at(1001).cpu_ns), 400'001, 1);
  EXPECT_EQ(sum(hours).cpu_ns, 1'000'003U);
  EXPECT_EQ(sum(hours).traffic, (Carried{77, 10'000'000'000'000}));
}

TEST(Use, EndsOnTheHourWithoutOneOfNothing) {
  const auto hours = used_between(first_seen(running(0), moment(0)), running(0), moment(kHourMs));
  EXPECT_EQ(hours.size(), 1U);
  EXPECT_EQ(hours.at(1000).running_ms, static_cast<std::uint64_t>(kHourMs));
}

TEST(Use, InNoTimeIsKept) {
  const auto hours = used_between(first_seen(running(0, 5), moment(7)), running(0, 9), moment(7));
  EXPECT_EQ(sum(hours).cpu_ns, 4U);
  EXPECT_EQ(sum(hours).running_ms, 0U);
}

TEST(Use, KnowsWhenTheGuestRan) {
  const auto ms = [](const UseSeen& before, const UseReading& now, const Moment& at) {
    return sum(used_between(before, now, at)).running_ms;
  };
  UseReading stopped = running(0);
  stopped.running = false;
  stopped.cpu_made = "";
  stopped.ended_ms = kBegin + 4 * kMinute;
  const UseSeen up = first_seen(running(0), moment(0));
  const UseSeen down = first_seen(stopped, moment(0));
  EXPECT_EQ(ms(up, stopped, moment(10 * kMinute)), 4U * kMinute) << "until it ended";
  EXPECT_EQ(ms(down, stopped, moment(10 * kMinute)), 0U);
  EXPECT_EQ(ms(down, running(7 * kMinute), moment(10 * kMinute)), 3U * kMinute) << "since it started";
  UseReading again = running(9 * kMinute);
  again.ended_ms = kBegin + 4 * kMinute;
  EXPECT_EQ(ms(up, again, moment(10 * kMinute)), 5U * kMinute) << "both";
  UseReading brief = stopped;
  brief.started_ms = kBegin + 2 * kMinute;
  EXPECT_EQ(ms(down, brief, moment(10 * kMinute)), 2U * kMinute) << "and went";
  // With the host it went down, and nobody knows when.
  EXPECT_EQ(ms(up, again, moment(10 * kMinute, "c")), 1U * kMinute);
  // What it holds is held while it runs alone, and what it is promised is so always.
  const Use use = sum(used_between(up, stopped, moment(10 * kMinute)));
  EXPECT_EQ(use.memory_held, 10U * 4 * kMinute);
  EXPECT_EQ(use.memory_promised, 100U * 10 * kMinute);
  EXPECT_EQ(use.stopped_ms, 6U * kMinute);
  stopped.suspended = true;
  EXPECT_EQ(sum(used_between(up, stopped, moment(10 * kMinute))).suspended_ms, 6U * kMinute);
}

TEST(Use, OfProcessorTimeGoesOnWhereItsCounterBeginsAgain) {
  const UseSeen before = first_seen(running(0, 100), moment(0));
  const auto cpu = [&](const UseSeen& was, UseReading now, const std::string& made) {
    now.cpu_made = made;
    return sum(used_between(was, now, moment(kMinute))).cpu_ns;
  };
  EXPECT_EQ(cpu(before, running(0, 130), "b 1"), 30U);
  EXPECT_EQ(cpu(before, running(0, 130), "b 2"), 130U) << "another group's";
  EXPECT_EQ(cpu(before, running(0, 130), ""), 0U) << "no group is there";
  UseSeen unknown = before;
  unknown.cpu_made = kUnknownCounter;
  EXPECT_EQ(cpu(unknown, running(0, 130), "b 1"), 0U);
  unknown.cpu_made = "";
  EXPECT_EQ(cpu(unknown, running(0, 130), "b 1"), 130U) << "made since";
}

TEST(Use, IsNotCountedTwiceWhereACounterCanNotBeReadForAWhile) {
  const UseSeen before = first_seen(running(0, 100), moment(0));
  const UseReading unread = running(0, 0);
  EXPECT_EQ(sum(used_between(before, unread, moment(kMinute))).cpu_ns, 0U);
  const UseSeen after = seen(before, unread, moment(kMinute));
  EXPECT_EQ(sum(used_between(after, running(0, 130), moment(2 * kMinute))).cpu_ns, 30U);
}

TEST(Use, GoesOnWhereAnEndIsNotKnownYet) {
  UseReading gone = running(0);
  gone.running = false;
  gone.ended_ms = kBegin - kHourMs;  // of a life before
  EXPECT_EQ(sum(used_between(first_seen(running(0), moment(0)), gone, moment(kMinute))).running_ms,
            static_cast<std::uint64_t>(kMinute));
  // One that was not known to run then, and has since long before.
  UseReading unknown = running(-5);
  unknown.running = false;
  EXPECT_EQ(sum(used_between(first_seen(unknown, moment(0)), running(-5), moment(kMinute))).running_ms,
            static_cast<std::uint64_t>(kMinute));
}

TEST(Use, TakesTimeFromTheClockThatNeverSteps) {
  const UseSeen before = first_seen(running(0), moment(0));
  for (const std::int64_t step :
       std::initializer_list<std::int64_t>{-26 * kHourMs, -1'000, 1'000, 26 * kHourMs}) {
    Moment later = moment(30 * kMinute);
    later.wall_ms += step;
    const auto hours = used_between(before, running(0), later);
    EXPECT_EQ(sum(hours).running_ms, 30U * kMinute) << step;
    EXPECT_EQ(hours.rbegin()->first, (later.wall_ms - 1) / kHourMs) << step;
  }
  // Over a start of the host the other clock is all that there is.
  EXPECT_EQ(elapsed_ms(moment(0), moment(kMinute, "c")), kMinute);
  EXPECT_EQ(elapsed_ms(moment(kMinute), moment(0, "c")), 0) << "which was set back meanwhile";
}

TEST(Use, StopsAtTheLargestNumber) {
  Use most;
  most.cpu_ns = UINT64_MAX - 1;
  Use two;
  two.cpu_ns = 2;
  EXPECT_EQ(plus(most, two).cpu_ns, UINT64_MAX);
}

TEST(Month, IsItsHours) {
  EXPECT_EQ(parse_month("1970-01")->begin, 0);
  EXPECT_EQ(parse_month("1970-01")->end, 31 * 24);
  EXPECT_EQ(parse_month("2026-11")->begin, 1'793'491'200 / 3600);
  EXPECT_EQ(parse_month("2026-11")->end, parse_month("2026-12")->begin);
  EXPECT_EQ(parse_month("2026-12")->end, parse_month("2027-01")->begin);
  EXPECT_EQ(parse_month("2028-02")->end - parse_month("2028-02")->begin, 29 * 24);
  for (const char* const text : {"", "2026", "2026-13", "2026-00", "2026-1", "26-11", "2026/11", "2026-11-01",
                                 "x026-11", "1969-12", "2026-1x", "-026-11"}) {
    EXPECT_THAT(parse_month(text), testing::is_error(Kind::Invalid, "2026-11")) << text;
  }
}

}  // namespace
}  // namespace umlfarm::quota
