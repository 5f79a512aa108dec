#include "guest/supervisor/room.h"

#include <gtest/gtest.h>

namespace umlfarm::guest {
namespace {

constexpr const char* kWaits = "ubda waits for room on the host";
constexpr const char* kGoesOn = "ubda goes on";

TEST(Room, TellsWhenADiskWaitsAndWhenNoneDoes) {
  Room room;
  EXPECT_FALSE(room.next());
  room.on_notification(kWaits, 5000);
  ASSERT_TRUE(room.next());
  EXPECT_TRUE(room.due(5000));
  EXPECT_TRUE(room.waits());
  EXPECT_FALSE(room.due(5001)) << "there is no more news";
  room.on_notification("ubdc waits for room on the host", 5100);
  room.on_notification(kGoesOn, 5200);
  EXPECT_FALSE(room.next()) << "another still waits";
  room.on_notification("ubdc goes on", 7000);
  EXPECT_TRUE(room.due(7000));
  EXPECT_FALSE(room.waits());
}

TEST(Room, TellsOnceASecondAtMost) {
  Room room;
  int told = 0;
  for (std::int64_t now = 1000; now < 11'000; now += 10) {
    room.on_notification(now / 10 % 2 == 0 ? kWaits : kGoesOn, now);
    if (room.due(now)) ++told;
  }
  EXPECT_GE(told, 9);
  EXPECT_LE(told, 11);
  room.on_notification(kGoesOn, 11'000);
  (void)room.due(20'000);
  EXPECT_FALSE(room.waits()) << "what was last said is told in the end";
}

TEST(Room, TakesNothingElseForNews) {
  Room room;
  for (const char* text :
       {"", "ubd", "ubda", "ubdz waits for room on the host", "ubdA waits for room on the host",
        "sda waits for room on the host", "ubda waits for room on the host "})
    room.on_notification(text, 1000);
  EXPECT_FALSE(room.next());
}

}  // namespace
}  // namespace umlfarm::guest
