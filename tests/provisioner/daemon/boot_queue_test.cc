#include "provisioner/daemon/boot_queue.h"

#include <gtest/gtest.h>

namespace umlfarm::daemon {
namespace {

TEST(BootQueue, GivesPlacesInTheOrderInWhichTheyWereAskedFor) {
  BootQueue queue(2);
  EXPECT_TRUE(queue.enter(1));
  EXPECT_TRUE(queue.enter(2));
  for (const std::int64_t number : {3, 4, 3}) EXPECT_FALSE(queue.enter(number));
  EXPECT_EQ(queue.leave(2), 3);
  EXPECT_EQ(queue.leave(1), 4);
  EXPECT_EQ(queue.leave(3), std::nullopt);
  EXPECT_EQ(queue.leave(4), std::nullopt);
}

TEST(BootQueue, TakesOneThatHasAPlaceAgain) {
  BootQueue queue(1);
  EXPECT_TRUE(queue.enter(1));
  EXPECT_TRUE(queue.enter(1));
  EXPECT_EQ(queue.leave(1), std::nullopt);
  EXPECT_TRUE(queue.enter(2));
}

TEST(BootQueue, KeepsAPlaceForWhoseTurnItIs) {
  BootQueue queue(1);
  EXPECT_TRUE(queue.enter(1));
  EXPECT_FALSE(queue.enter(2));
  EXPECT_EQ(queue.leave(1), 2);
  EXPECT_FALSE(queue.enter(3));
  EXPECT_TRUE(queue.enter(2));
  EXPECT_EQ(queue.leave(2), 3);
}

TEST(BootQueue, KeepsTheTurnOfOneWhoseEarlierBootIsOver) {
  BootQueue queue(1);
  EXPECT_TRUE(queue.enter(1));
  EXPECT_EQ(queue.free_place(1), std::nullopt);
  EXPECT_TRUE(queue.enter(2));
  EXPECT_FALSE(queue.enter(1));
  // Such as when the time of its first boot runs out.
  EXPECT_EQ(queue.free_place(1), std::nullopt);
  EXPECT_EQ(queue.free_place(2), 1);
  EXPECT_TRUE(queue.enter(1));
}

TEST(BootQueue, PassesOnThePlaceOfOneThatWantsItNoMore) {
  BootQueue queue(1);
  EXPECT_TRUE(queue.enter(1));
  for (const std::int64_t number : {2, 3, 4}) EXPECT_FALSE(queue.enter(number));
  EXPECT_EQ(queue.leave(3), std::nullopt);  // while it waited
  EXPECT_EQ(queue.leave(1), 2);
  EXPECT_EQ(queue.leave(2), 4);  // before it came
  EXPECT_EQ(queue.leave(9), std::nullopt);
  EXPECT_EQ(queue.leave(4), std::nullopt);
}

}  // namespace
}  // namespace umlfarm::daemon
