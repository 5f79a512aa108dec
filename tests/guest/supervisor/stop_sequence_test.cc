#include "guest/supervisor/stop_sequence.h"

#include <gmock/gmock.h>

#include <utility>
#include <vector>

namespace umlfarm::guest {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using enum StopStep;

using Steps = std::vector<std::pair<std::int64_t, StopStep>>;

// Every step with its time, when somebody looks exactly when told to.
Steps play(StopSequence& stopping) {
  Steps steps;
  while (const auto next = stopping.next()) {
    EXPECT_FALSE(stopping.due(*next - 1));
    const auto step = stopping.due(*next);
    EXPECT_TRUE(step);
    if (!step || steps.size() > 10) break;
    steps.emplace_back(*next, *step);
  }
  return steps;
}

// The next step, which must be due at that time.
void expect_step(StopSequence& stopping, std::int64_t now, StopStep step) {
  const auto due = stopping.due(now);
  ASSERT_TRUE(due) << now;
  EXPECT_EQ(*due, step) << now;
}

TEST(StopSequence, DoesNothingUntilItIsStarted) {
  StopSequence stopping;
  EXPECT_FALSE(stopping.running());
  EXPECT_FALSE(stopping.next());
  EXPECT_FALSE(stopping.due(1'000'000));
}

TEST(StopSequence, TakesEachStepOnceAtItsTime) {
  StopSequence stopping;
  stopping.start(1000, 30'000);
  EXPECT_TRUE(stopping.running());
  EXPECT_THAT(play(stopping),
              ElementsAre(Pair(1000, CtrlAltDel), Pair(31'000, Sync), Pair(34'000, RemountReadOnly),
                          Pair(36'000, Halt), Pair(38'000, Kill)));
  EXPECT_TRUE(stopping.running());
  EXPECT_FALSE(stopping.due(1'000'000'000));
}

TEST(StopSequence, BeginsWithSyncWhenThereIsNoPatience) {
  for (const std::int64_t patience : {0, -1, -1'000'000}) {
    StopSequence stopping;
    stopping.start(1000, patience);
    EXPECT_THAT(play(stopping), ElementsAre(Pair(1000, Sync), Pair(4000, RemountReadOnly), Pair(6000, Halt),
                                            Pair(8000, Kill)));
  }
}

TEST(StopSequence, LeavesNoStepOutWhenSomebodyLooksLate) {
  StopSequence stopping;
  stopping.start(1000, 5000);
  expect_step(stopping, 100'000, CtrlAltDel);
  expect_step(stopping, 100'000, Sync);
  EXPECT_FALSE(stopping.due(100'000)) << "a late sync gets its time all the same";
  expect_step(stopping, 103'000, RemountReadOnly);
}

TEST(StopSequence, ComesNearerWhenAskedAgainWithLessPatience) {
  StopSequence stopping;
  stopping.start(1000, 30'000);
  expect_step(stopping, 1000, CtrlAltDel);
  stopping.start(2000, 5000);
  EXPECT_EQ(stopping.next(), 7000);
  expect_step(stopping, 7000, Sync);
}

TEST(StopSequence, ComesNearerBeforeItsFirstStepWasTaken) {
  StopSequence stopping;
  stopping.start(1000, 30'000);
  stopping.start(1000, 0);
  expect_step(stopping, 1000, CtrlAltDel);
  expect_step(stopping, 1000, Sync);
}

TEST(StopSequence, IsNotPutOffByBeingAskedAgain) {
  StopSequence stopping;
  stopping.start(1000, 5000);
  expect_step(stopping, 1000, CtrlAltDel);
  stopping.start(2000, 60'000);
  stopping.start(3000, 5000);
  EXPECT_EQ(stopping.next(), 6000);
}

TEST(StopSequence, IsNotPutOffBeforeItsFirstStepWasTaken) {
  StopSequence stopping;
  stopping.start(1000, 5000);
  stopping.start(1000, 60'000);
  expect_step(stopping, 1000, CtrlAltDel);
  EXPECT_EQ(stopping.next(), 6000);
}

TEST(StopSequence, DoesNotRepeatOrSkipStepsWhenAskedAgainWithoutPatience) {
  StopSequence stopping;
  stopping.start(1000, 30'000);
  expect_step(stopping, 1000, CtrlAltDel);
  stopping.start(2000, 0);
  expect_step(stopping, 2000, Sync);
  stopping.start(2500, 0);
  EXPECT_EQ(stopping.next(), 5000);
  expect_step(stopping, 5000, RemountReadOnly);
}

TEST(StopSequence, KillsAtOnceWhereverItIs) {
  for (int steps = 0; steps <= 4; ++steps) {
    StopSequence stopping;
    stopping.start(1000, 5000);
    for (int i = 0; i < steps; ++i) EXPECT_TRUE(stopping.due(*stopping.next()));
    stopping.kill(50'000);
    EXPECT_THAT(play(stopping), ElementsAre(Pair(50'000, Kill))) << steps;
  }
}

TEST(StopSequence, KillsWithoutHavingBeenStarted) {
  StopSequence stopping;
  stopping.kill(1000);
  EXPECT_TRUE(stopping.running());
  EXPECT_THAT(play(stopping), ElementsAre(Pair(1000, Kill)));
}

TEST(StopSequence, IsNotSoftenedOnceAKillWasAsked) {
  StopSequence stopping;
  stopping.kill(1000);
  stopping.start(1000, 30'000);
  EXPECT_THAT(play(stopping), ElementsAre(Pair(1000, Kill)));
}

TEST(StopSequence, IsOverAfterTheKill) {
  StopSequence stopping;
  stopping.kill(1000);
  expect_step(stopping, 1000, Kill);
  stopping.kill(2000);
  stopping.start(2000, 0);
  EXPECT_FALSE(stopping.next());
  EXPECT_FALSE(stopping.due(1'000'000));
}

}  // namespace
}  // namespace umlfarm::guest
