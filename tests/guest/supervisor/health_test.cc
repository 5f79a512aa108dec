#include "guest/supervisor/health.h"

#include <gtest/gtest.h>

namespace umlfarm::guest {
namespace {

using State = Health::State;

// A round at the time at which it is due; it ends `took` later.
void round(Health& health, bool answered, std::int64_t took = 10) {
  ASSERT_TRUE(health.next());
  const std::int64_t now = *health.next();
  health.on_probe_begun();
  EXPECT_FALSE(health.next()) << "none is due during a round";
  health.on_probed(now + took, answered);
}

Health ready() {
  Health health;
  health.on_ready(1000);
  round(health, true);
  EXPECT_EQ(health.state(), State::Ready);
  return health;
}

TEST(Health, IsNotAskedForBeforeTheGuestSaysThatItIsReady) {
  const Health health;
  EXPECT_EQ(health.state(), State::Starting);
  EXPECT_FALSE(health.next());
}

TEST(Health, IsAskedForAtOnceWhenTheGuestSaysThatItIsReady) {
  Health health;
  health.on_ready(1000);
  EXPECT_EQ(health.next(), 1000);
  EXPECT_EQ(health.state(), State::Starting) << "its word alone is not enough";
  health.on_ready(2000);
  EXPECT_EQ(health.next(), 1000);
}

TEST(Health, IsReadyOnceBothQuestionsWereAnswered) {
  Health health = ready();
  EXPECT_EQ(health.next(), 1000 + 10 + 60'000);
  health.on_ready(5000);
  EXPECT_EQ(health.state(), State::Ready);
  EXPECT_EQ(health.next(), 1000 + 10 + 60'000);
}

TEST(Health, ForgivesOneFailureAndAsksAgainSoon) {
  Health health = ready();
  const std::int64_t due = *health.next();
  round(health, false, 5000);
  EXPECT_EQ(health.state(), State::Ready);
  EXPECT_EQ(health.next(), due + 5000 + 2000);
  round(health, true);
  EXPECT_EQ(health.state(), State::Ready);
  round(health, false);
  EXPECT_EQ(health.state(), State::Ready) << "failures count only in a row";
}

TEST(Health, IsLostAfterTwoFailuresInARow) {
  Health health = ready();
  round(health, false);
  round(health, false);
  EXPECT_EQ(health.state(), State::Unhealthy);
  round(health, false);
  EXPECT_EQ(health.state(), State::Unhealthy);
}

TEST(Health, ComesBackWithOneAnswer) {
  Health health = ready();
  for (int i = 0; i < 3; ++i) round(health, false);
  round(health, true);
  EXPECT_EQ(health.state(), State::Ready);
}

TEST(Health, IsNeverReadyWhenNobodyAnswered) {
  Health health;
  health.on_ready(1000);
  round(health, false);
  EXPECT_EQ(health.state(), State::Starting);
  round(health, false);
  EXPECT_EQ(health.state(), State::Unhealthy);
}

}  // namespace
}  // namespace umlfarm::guest
