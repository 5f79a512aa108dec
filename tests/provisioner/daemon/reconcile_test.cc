#include "provisioner/daemon/reconcile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "tests/provisioner/daemon/world.h"

namespace umlfarm::daemon {
namespace {

using ::testing::IsEmpty;

constexpr Action kClearing[] = {Action::KillRest, Action::DetachNetwork, Action::RemoveCgroups,
                                Action::RemoveRun};

struct Case {
  const GuestRecord& record;
  const Observed& observed;
  const Plan& plan;

  bool has(Action action) const { return count(action) > 0; }
  std::ptrdiff_t count(Action action) const {
    return std::count(plan.actions.begin(), plan.actions.end(), action);
  }
  std::ptrdiff_t at(Action action) const {
    return std::find(plan.actions.begin(), plan.actions.end(), action) - plan.actions.begin();
  }
  // Neither runs nor has an end that must be looked at first.
  bool ended() const { return observed.exit_recorded || observed.vanished; }
  bool down() const { return !observed.supervised && !ended(); }
  bool wanted() const {
    return record.desired == Desired::Running && record.suspended.empty() && record.failure.empty();
  }
};

// Checks every combination of what is wanted and what is seen; stops at the first that fails.
void for_every_case(const std::function<void(const Case&)>& check) {
  for (const GuestRecord& record : all_records()) {
    for (const Observed& observed : all_observations()) {
      const Plan planned = plan(record, observed, kNow);
      check({record, observed, planned});
      if (::testing::Test::HasFailure()) FAIL() << describe(record, observed);
    }
  }
}

TEST(Reconcile, OnlyEverStopsAGuestThatRuns) {
  for_every_case([](const Case& at) {
    const bool unwanted =
        at.record.desired != Desired::Running || !at.record.suspended.empty() || at.record.restart_asked;
    EXPECT_EQ(at.has(Action::Stop), at.observed.supervised && unwanted);
    if (!at.observed.supervised) return;
    EXPECT_EQ(at.plan.actions.size(), unwanted ? 1U : 0U);
    EXPECT_EQ(at.plan.again_ms, 0);
  });
}

TEST(Reconcile, TakesInAnExitBeforeItDecidesAnythingElse) {
  for_every_case([](const Case& at) {
    const bool waits = at.ended() && !at.observed.supervised;
    EXPECT_EQ(at.has(Action::RecordExit), waits);
    EXPECT_TRUE(!waits || at.plan.actions.size() == 1);
  });
}

TEST(Reconcile, ClearsWhatAStartMayHaveLeftFirstAndInOrder) {
  for_every_case([](const Case& at) {
    const bool residue = at.down() && at.observed.run_directory;
    const bool cleared = at.plan.actions.size() >= std::size(kClearing) &&
                         std::equal(std::begin(kClearing), std::end(kClearing), at.plan.actions.begin());
    EXPECT_EQ(cleared, residue);
    for (const Action action : kClearing) EXPECT_EQ(at.count(action), residue ? 1 : 0);
  });
}

TEST(Reconcile, LaunchesOnlyWhatIsWantedAndDownAndMakesAllThatIsMissingBefore) {
  for_every_case([](const Case& at) {
    const bool launch = at.has(Action::Launch);
    if (launch) {
      EXPECT_TRUE(at.wanted() && at.down());
      EXPECT_EQ(at.plan.actions.back(), Action::Launch);
    }
    const bool swap = at.record.limits.swap != ByteSize(0);
    EXPECT_EQ(at.has(Action::MakeDirectory), launch && !at.observed.directory);
    EXPECT_EQ(at.has(Action::MakeDisk), launch && !at.observed.disk);
    EXPECT_EQ(at.has(Action::MakeSwap), launch && swap) << "each boot gets a new one";
    EXPECT_EQ(at.has(Action::MakeSeed), launch && !at.observed.seed);
    EXPECT_EQ(at.has(Action::MakeRun), launch);
    EXPECT_EQ(at.has(Action::MakeCgroups), launch);
    EXPECT_LE(at.at(Action::MakeRun), at.at(Action::MakeCgroups));
  });
}

TEST(Reconcile, EitherStartsAWantedGuestOrSaysWhenItWill) {
  for_every_case([](const Case& at) {
    const bool waits = at.plan.again_ms != 0;
    EXPECT_EQ(at.wanted() && at.down(), at.has(Action::Launch) || waits);
    EXPECT_FALSE(at.has(Action::Launch) && waits);
    EXPECT_GE(at.plan.again_ms, 0);
    EXPECT_LE(at.plan.again_ms, backoff(at.record.restarts));
  });
}

TEST(Reconcile, ForgetsAnUnwantedGuestLastAndRemovesItsFilesOnlyThen) {
  for_every_case([](const Case& at) {
    const bool forget = at.record.desired == Desired::Absent && at.down();
    EXPECT_EQ(at.count(Action::Forget), forget ? 1 : 0);
    EXPECT_TRUE(!forget || at.plan.actions.back() == Action::Forget);
    EXPECT_EQ(at.has(Action::RemoveFiles), forget && at.observed.directory);
  });
}

TEST(Reconcile, PlansTheSameAgainOnTheSameReading) {
  for_every_case([](const Case& at) {
    const Plan again = plan(at.record, at.observed, kNow);
    EXPECT_EQ(again.actions, at.plan.actions);
    EXPECT_EQ(again.again_ms, at.plan.again_ms);
  });
}

TEST(Reconcile, WaitsUntilTheBackoffHasPassedAndNotLonger) {
  GuestRecord record;
  record.restarts = 3;
  record.last_exit_ms = kNow;
  const std::int64_t due = kNow + backoff(3);
  EXPECT_EQ(plan(record, {}, kNow).again_ms, backoff(3));
  EXPECT_EQ(plan(record, {}, due - 1).again_ms, 1);
  EXPECT_THAT(plan(record, {}, due - 1).actions, IsEmpty());
  EXPECT_EQ(plan(record, {}, due).again_ms, 0);
  EXPECT_EQ(plan(record, {}, due).actions.back(), Action::Launch);
}

TEST(Reconcile, IsNotHeldDownByAClockThatWasSetBack) {
  GuestRecord record;
  record.restarts = 3;
  record.last_exit_ms = kNow + kHour;
  EXPECT_EQ(plan(record, {}, kNow).actions.back(), Action::Launch);
}

TEST(Reconcile, ClearsResidueBeforeItWaits) {
  GuestRecord record;
  record.restarts = 1;
  record.last_exit_ms = kNow;
  Observed observed;
  observed.run_directory = true;
  EXPECT_THAT(plan(record, observed, kNow).actions, ::testing::ElementsAreArray(kClearing));
}

TEST(Backoff, GrowsFromNothingToAMinute) {
  EXPECT_EQ(backoff(0), 0);
  EXPECT_GT(backoff(1), 0);
  for (unsigned restarts = 1; restarts < 100; ++restarts) {
    EXPECT_TRUE(backoff(restarts) > backoff(restarts - 1) || backoff(restarts) == 60'000) << restarts;
  }
  for (const unsigned restarts : {100U, 1U << 16U, UINT32_MAX}) EXPECT_EQ(backoff(restarts), 60'000);
}

TEST(ActionName, DiffersForEach) {
  std::set<std::string_view> names;
  for (int action = 0; action <= static_cast<int>(Action::Forget); ++action) {
    const std::string_view name = action_name(static_cast<Action>(action));
    EXPECT_NE(name, "unknown") << action;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
}

}  // namespace
}  // namespace umlfarm::daemon
