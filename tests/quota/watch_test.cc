#include "quota/watch.h"

#include <gmock/gmock.h>

#include "quota/inside.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::quota {
namespace {

using ::testing::HasSubstr;
using testing::is_error;
using testing::is_ok;

constexpr std::int64_t kMinute = 60'000;

TEST(Watch, WarnsOfManyProcessesOnceUntilItIsOver) {
  Watch watch({90, 0, 0});
  const auto look = [&](std::uint64_t count) { return watch.look({{"g1", count, 100, {}}}, 0); };
  EXPECT_TRUE(look(89).empty());
  const auto warnings = look(90);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_EQ(warnings[0].kind, "processes");
  EXPECT_THAT(warnings[0].message, HasSubstr("90 host processes of at most 100, and had 89"));
  EXPECT_TRUE(look(100).empty());
  EXPECT_TRUE(look(10).empty());
  EXPECT_EQ(look(95).size(), 1U);
  // It stopped, and began anew.
  EXPECT_TRUE(watch.look({}, 0).empty());
  EXPECT_EQ(look(95).size(), 1U);
  Watch never({0, 0, 0});
  EXPECT_TRUE(never.look({{"g1", 100, 100, 2.0}}, 0).empty());
}

TEST(Watch, WarnsOfAProcessThatNeverRestsAfterItsTime) {
  Watch watch({0, 95, 60});
  const auto look = [&](std::optional<double> busiest, std::int64_t minute) {
    return watch.look({{"g1", 1, 100, busiest}}, minute * kMinute + 1);
  };
  EXPECT_TRUE(look(0.96, 0).empty());
  EXPECT_TRUE(look(0.95, 59).empty());
  const auto warnings = look(1, 60);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_EQ(warnings[0].kind, "busy");
  EXPECT_THAT(warnings[0].message, HasSubstr("95 % of a processor and more for 60 minutes"));
  EXPECT_TRUE(look(1, 61).empty());
  EXPECT_TRUE(look(0.94, 62).empty()) << "it rested";
  EXPECT_TRUE(look(1, 63).empty());
  EXPECT_TRUE(look({}, 100).empty()) << "so little that it was not looked at";
  EXPECT_TRUE(look(1, 124).empty());
  EXPECT_EQ(look(1, 184).size(), 1U);
}

TEST(Ticks, AreReadWhateverAProcessIsCalled) {
  EXPECT_EQ(ticks_of("7 (a) b) R 1 2 3 4 5 6 7 8 9 10 30 12 0 0"), 42U);
  for (const char* const text :
       {"", "7 (a) R", "7 a R 1 2 3 4 5 6 7 8 9 10 30 12", "7 (a) R 1 2 3 4 5 6 7 8 9 10 x 12"})
    EXPECT_FALSE(ticks_of(text)) << text;
  EXPECT_EQ(most_gained({{1, 10}, {2, 50}}, {{1, 15}, {2, 51}, {3, 4}}), 5U);
  EXPECT_EQ(most_gained({{1, 10}}, {{1, 9}}), 9U) << "another of the same number";
  EXPECT_EQ(most_gained({{1, 10}}, {}), 0U);
}

TEST(Inside, IsReadOfWhatAKernelWrites) {
  const auto inside =
      read_inside("0.52 0.20 1.00 1/38 77\n", "MemTotal:   1000 kB\nMemFree: 1 kB\nMemAvailable: 400 kB\n",
                  "12.50 10.00\n");
  ASSERT_THAT(inside, is_ok());
  EXPECT_EQ(inside->load1, 0.52);
  EXPECT_EQ(inside->load15, 1);
  EXPECT_EQ(inside->memory_total, ByteSize::kib(1000));
  EXPECT_EQ(inside->memory_available, ByteSize::kib(400));
  EXPECT_EQ(inside->uptime_seconds, 12.5);
}

TEST(Inside, IsRefusedWhereNoKernelWritesThat) {
  const std::string load = "0 0 0 1/1 1";
  const std::string memory = "MemTotal: 1 kB\nMemAvailable: 1 kB\n";
  ASSERT_THAT(read_inside(load, memory, "1 1"), is_ok());
  for (const char* const bad :
       {"", "x", "nan 0 0", "inf 0 0", "-1 0 0", "1e99 0 0", "0 0", "99999999999 0 0"})
    EXPECT_THAT(read_inside(bad, memory, "1 1"), is_error(Kind::Internal, "loadavg")) << bad;
  for (const char* const bad : {"", "MemTotal: 1 kB", "MemTotal: x kB\nMemAvailable: 1 kB\n",
                                "MemTotal: 1 kB\nMemAvailable: 99999999999999999999 kB\n"})
    EXPECT_THAT(read_inside(load, bad, "1 1"), is_error(Kind::Internal, "meminfo")) << bad;
  for (const char* const bad : {"", "-1 1", "nan", "x"})
    EXPECT_THAT(read_inside(load, memory, bad), is_error(Kind::Internal, "uptime")) << bad;
}

}  // namespace
}  // namespace umlfarm::quota
