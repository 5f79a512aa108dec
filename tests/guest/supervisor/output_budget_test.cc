#include "guest/supervisor/output_budget.h"

#include <gtest/gtest.h>

namespace umlfarm::guest {
namespace {

constexpr std::int64_t kStart = 1'000'000;
constexpr std::int64_t kSecond = 1000;

// Spends pieces for as long as it allows them at that time.
std::int64_t spend_all(OutputBudget& budget, std::int64_t now, std::size_t piece = 1024) {
  std::int64_t spent = 0;
  for (; budget.allows(now); spent += static_cast<std::int64_t>(piece)) budget.spend(piece);
  return spent;
}

TEST(OutputBudget, AllowsABurstAndNamesNoTimeMeanwhile) {
  OutputBudget budget(kStart);
  EXPECT_TRUE(budget.allows(kStart));
  EXPECT_FALSE(budget.next());
  EXPECT_EQ(spend_all(budget, kStart), OutputBudget::kBurst);
  EXPECT_FALSE(budget.allows(kStart));
  ASSERT_TRUE(budget.next());
  EXPECT_GT(*budget.next(), kStart);
}

TEST(OutputBudget, AllowsMoreAtTheTimeThatItNames) {
  for (const std::size_t piece : {1U, 1000U, 65'536U, 10'000'000U}) {
    OutputBudget budget(kStart);
    spend_all(budget, kStart, piece);
    const std::int64_t next = budget.next().value_or(0);
    ASSERT_GT(next, kStart) << piece;
    EXPECT_TRUE(budget.allows(next)) << piece;
    EXPECT_FALSE(budget.next()) << piece;
  }
}

TEST(OutputBudget, GivesAFloodItsRateAndNoMore) {
  constexpr std::int64_t kSeconds = 100;
  OutputBudget budget(kStart);
  std::int64_t spent = 0;
  for (std::int64_t now = kStart; now <= kStart + kSeconds * kSecond; now += 7) {
    spent += spend_all(budget, now, 4095);
  }
  const std::int64_t due = OutputBudget::kBurst + kSeconds * OutputBudget::kPerSecond;
  EXPECT_LE(spent, due + 4095);
  EXPECT_GE(spent, due * 98 / 100);
}

TEST(OutputBudget, SavesNoMoreThanABurst) {
  OutputBudget budget(kStart);
  spend_all(budget, kStart);
  EXPECT_EQ(spend_all(budget, kStart + 1'000'000 * kSecond), OutputBudget::kBurst);
}

TEST(OutputBudget, WakesNobodyForEachLineOfAFlood) {
  OutputBudget budget(kStart);
  std::int64_t now = kStart;
  for (int i = 0; i < 100; ++i) {
    spend_all(budget, now, 80);
    const std::int64_t next = budget.next().value_or(now);
    ASSERT_GE(next - now, 20);
    now = next;
  }
}

}  // namespace
}  // namespace umlfarm::guest
