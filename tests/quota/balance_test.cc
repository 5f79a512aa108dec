#include "quota/balance.h"

#include <gtest/gtest.h>

namespace umlfarm::quota {
namespace {

constexpr std::int64_t kLookMs = 5000;

// Looks until something moves, for as long as `looks`; the look at which it did, or 0.
int looks_until_move(Balance& balance, const std::vector<GuestLoad>& guests, int looks, Move* move = nullptr,
                     const std::map<int, double>& elsewhere = {}, std::int64_t begin_ms = 0) {
  for (int i = 1; i <= looks; ++i) {
    const auto moved = balance.look(guests, elsewhere, begin_ms + i * kLookMs);
    if (!moved) continue;
    if (move != nullptr) *move = *moved;
    return i;
  }
  return 0;
}

TEST(Balance, MovesAGuestFromTheBusiestToTheLeastBusyProcessor) {
  Balance balance({0, 1, 2});
  Move move;
  EXPECT_EQ(looks_until_move(balance, {{"a", 0, 0.5}, {"b", 0, 0.5}, {"c", 1, 0.2}}, 10, &move), 3);
  EXPECT_EQ(move.from, 0);
  EXPECT_EQ(move.to, 2);
}

TEST(Balance, LeavesWhatIsEvenAlone) {
  Balance balance({0, 1});
  EXPECT_EQ(looks_until_move(balance, {{"a", 0, 1.0}, {"b", 1, 0.8}}, 50), 0);
  EXPECT_EQ(looks_until_move(balance, {{"a", 0, 0.1}, {"b", 0, 0.15}}, 50), 0) << "too little to notice";
  EXPECT_EQ(looks_until_move(balance, {}, 50), 0);
}

TEST(Balance, LeavesALoneBusyGuestAlone) {
  Balance balance({0, 1});
  EXPECT_EQ(looks_until_move(balance, {{"a", 0, 1.0}}, 50), 0) << "it would be as uneven there";
  EXPECT_EQ(looks_until_move(balance, {{"a", 0, 0.97}, {"b", 0, 0.01}}, 50), 0);
}

TEST(Balance, WaitsUntilTheLoadHasBeenUnevenForAWhile) {
  Balance balance({0, 1});
  const std::vector<GuestLoad> uneven{{"a", 0, 0.5}, {"b", 0, 0.5}};
  const std::vector<GuestLoad> even{{"a", 0, 0.5}, {"b", 0, 0.0}, {"c", 1, 0.5}};
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(looks_until_move(balance, uneven, 2), 0);
    EXPECT_EQ(looks_until_move(balance, even, 1), 0);
  }
}

TEST(Balance, KeepsAGuestThatHasMovedWhereItIs) {
  Balance balance({0, 1});
  Move move;
  ASSERT_EQ(looks_until_move(balance, {{"a", 0, 0.5}, {"b", 0, 0.4}}, 3, &move), 3);
  const std::string other = move.guest == "a" ? "b" : "a";
  // Its load has company there now: it may not go back at once, the other guest there may.
  const std::vector<GuestLoad> after{{move.guest, 1, 0.5}, {other, 0, 0.1}, {"c", 1, 0.45}};
  ASSERT_EQ(looks_until_move(balance, after, 5, &move, {}, 20'000), 3);
  EXPECT_EQ(move.guest, "c");
}

TEST(Balance, CountsWhatDoesNotMove) {
  Balance balance({0, 1});
  Move move;
  const std::vector<GuestLoad> guests{{"a", 1, 0.4}};
  EXPECT_EQ(looks_until_move(balance, guests, 5, &move, {{1, 1.0}}), 3);
  EXPECT_EQ(move.to, 0);
}

TEST(Balance, SettlesWhateverItBeginsWith) {
  Balance balance({0, 1, 2, 3});
  std::vector<GuestLoad> guests;
  for (int i = 0; i < 16; ++i) guests.push_back({"g" + std::to_string(i), 0, 0.05 + 0.01 * i});
  int moves = 0;
  for (int look = 0; look < 1000; ++look) {
    const auto move = balance.look(guests, {}, look * kLookMs);
    if (!move) continue;
    ++moves;
    for (GuestLoad& guest : guests) {
      if (guest.guest == move->guest) guest.processor = move->to;
    }
  }
  EXPECT_LE(moves, 16) << "no guest goes to and fro";
  std::map<int, double> load;
  for (const GuestLoad& guest : guests) load[guest.processor] += guest.load;
  ASSERT_EQ(load.size(), 4U);
  for (const auto& [processor, sum] : load) EXPECT_NEAR(sum, 0.5, 0.3) << processor;
}

TEST(Balance, HasNothingToDoOnOneProcessor) {
  Balance balance({3});
  EXPECT_EQ(looks_until_move(balance, {{"a", 3, 0.9}, {"b", 3, 0.9}}, 10), 0);
}

}  // namespace
}  // namespace umlfarm::quota
