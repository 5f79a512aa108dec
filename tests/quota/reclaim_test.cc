#include "quota/reclaim.h"

#include <gtest/gtest.h>

namespace umlfarm::quota {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

TEST(MemoryPressure, IsTheShareOfTheLastTenSeconds) {
  EXPECT_EQ(
      memory_pressure("some avg10=12.34 avg60=0.14 avg300=0.19 total=1\nfull avg10=0.00 avg60=0 total=5\n"),
      12.34);
  EXPECT_EQ(memory_pressure("some avg10=0.00 avg60=0.14"), 0.0);
  for (const char* const text : {"", "full avg10=3.00", "some avg10=x"})
    EXPECT_FALSE(memory_pressure(text)) << text;
}

TEST(Reclaim, NamesTheIdleGuestThatHoldsMost) {
  Reclaim reclaim;
  const auto guests = [](std::uint64_t busy_ms) {
    return std::vector<GuestMemoryUse>{{"busy", busy_ms * kMs, ByteSize::gib(4)},
                                       {"idle", 70 * kMs, ByteSize::mib(100)},
                                       {"large", 90 * kMs, ByteSize::mib(300)},
                                       {"small", 0, ByteSize::mib(15)}};
  };
  EXPECT_FALSE(reclaim.look(guests(0), 1000)) << "nothing to compare with";
  EXPECT_EQ(reclaim.look(guests(100), 6000), "large");
  EXPECT_EQ(reclaim.look(guests(200), 11'000), "idle");
  EXPECT_FALSE(reclaim.look(guests(300), 16'000)) << "named just now, or busy, or not worth it";
}

TEST(Reclaim, NamesAGuestAgainAfterAMinute) {
  Reclaim reclaim;
  const std::vector<GuestMemoryUse> guests{{"idle", 0, ByteSize::mib(100)}};
  reclaim.look(guests, 1000);
  EXPECT_TRUE(reclaim.look(guests, 6000));
  std::int64_t now = 6000;
  while ((now += 5000) < 66'000) EXPECT_FALSE(reclaim.look(guests, now)) << now;
  EXPECT_TRUE(reclaim.look(guests, 66'000));
}

TEST(Reclaim, BelievesNoLookThatIsLongAgoOrOfAnotherStart) {
  Reclaim reclaim;
  const auto guest = [](std::uint64_t ms) {
    return std::vector<GuestMemoryUse>{{"g", ms * kMs, ByteSize::mib(100)}};
  };
  reclaim.look(guest(50), 1000);
  EXPECT_FALSE(reclaim.look(guest(50), 31'000));
  EXPECT_FALSE(reclaim.look(guest(10), 36'000)) << "it was started again";
  EXPECT_TRUE(reclaim.look(guest(10), 41'000));
}

}  // namespace
}  // namespace umlfarm::quota
