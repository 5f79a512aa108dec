#include "provisioner/base/clock.h"

#include <gtest/gtest.h>

#include <ctime>

namespace umlfarm {
namespace {

TEST(WallClock, AgreesWithTheHost) {
  const std::int64_t before = static_cast<std::int64_t>(::time(nullptr)) * 1000;
  const std::int64_t now = wall_clock_ms();
  const std::int64_t after = (static_cast<std::int64_t>(::time(nullptr)) + 2) * 1000;
  // time(2) may read the coarse clock, which lags by a tick.
  EXPECT_GE(now, before - 1000);
  EXPECT_LE(now, after);
}

TEST(MonotonicClock, NeverGoesBack) {
  std::int64_t last = monotonic_ms();
  for (int i = 0; i < 10'000; ++i) {
    const std::int64_t now = monotonic_ms();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(FormatTime, IsUtcToTheSecond) {
  const struct {
    std::int64_t ms;
    const char* text;
  } rows[] = {{0, "1970-01-01T00:00:00Z"},
              {999, "1970-01-01T00:00:00Z"},
              {1000, "1970-01-01T00:00:01Z"},
              {951'782'400'000, "2000-02-29T00:00:00Z"},
              {1'795'496'889'123, "2026-11-24T05:08:09Z"},
              {4'102'444'800'000, "2100-01-01T00:00:00Z"}};
  for (const auto& row : rows) EXPECT_EQ(format_time(row.ms), row.text);
}

TEST(FormatDuration, ShowsTheTwoLargestUnits) {
  constexpr std::int64_t kMinute = 60'000;
  constexpr std::int64_t kHour = 60 * kMinute;
  constexpr std::int64_t kDay = 24 * kHour;
  const struct {
    std::int64_t ms;
    const char* text;
  } rows[] = {{0, "0s"},
              {999, "0s"},
              {8'000, "8s"},
              {kMinute - 1, "59s"},
              {2 * kMinute + 5'000, "2m5s"},
              {kHour - 1, "59m59s"},
              {2 * kHour + 5 * kMinute + 59'000, "2h5m"},
              {kDay - 1, "23h59m"},
              {3 * kDay + 4 * kHour + 59 * kMinute, "3d4h"},
              {1000 * kDay, "1000d0h"},
              {-5'000, "0s"}};
  for (const auto& row : rows) EXPECT_EQ(format_duration(row.ms), row.text) << row.ms;
}

}  // namespace
}  // namespace umlfarm
