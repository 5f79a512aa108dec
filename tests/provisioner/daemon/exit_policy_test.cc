#include "provisioner/daemon/exit_policy.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "guest/supervisor/exit_record.h"
#include "tests/provisioner/daemon/records.h"

namespace umlfarm::daemon {
namespace {

using guest::ExitCause;

constexpr std::int64_t kStart = 1'700'000'000'000;
constexpr unsigned kMost = 3;

ExitNotice notice(ExitCause cause, std::int64_t time_ms = kStart + 1000) {
  return {std::string(guest::exit_cause_name(cause)), "why", time_ms};
}

GuestRecord running() {
  GuestRecord record = guest_of(1, "alice");
  record.started_ms = kStart;
  return record;
}

constexpr ExitCause kAll[] = {ExitCause::Stopped,  ExitCause::Killed,   ExitCause::PoweredOff,
                              ExitCause::Rebooted, ExitCause::Panicked, ExitCause::Crashed};

TEST(AfterExit, KnowsADeathFromAnEnd) {
  const struct {
    ExitCause cause;
    Desired desired;    // afterwards, of a guest that should run
    unsigned restarts;  // afterwards, where there was one before
  } rows[] = {{ExitCause::Stopped, Desired::Running, 0},    {ExitCause::Killed, Desired::Running, 0},
              {ExitCause::PoweredOff, Desired::Stopped, 0}, {ExitCause::Rebooted, Desired::Running, 2},
              {ExitCause::Panicked, Desired::Running, 2},   {ExitCause::Crashed, Desired::Running, 2}};
  for (const auto& row : rows) {
    GuestRecord record = running();
    record.restarts = 1;
    const GuestRecord after = after_exit(record, notice(row.cause), kMost);
    const std::string name(guest::exit_cause_name(row.cause));
    EXPECT_EQ(after.desired, row.desired) << name;
    EXPECT_EQ(after.restarts, row.restarts) << name;
    EXPECT_EQ(after.failure, "") << name;
    EXPECT_EQ(after.last_exit_ms, kStart + 1000) << name;
    EXPECT_NE(after.last_exit.find(name), std::string::npos);
    EXPECT_NE(after.last_exit.find("why"), std::string::npos);
  }
}

TEST(AfterExit, NeverBringsBackWhatShouldBeDown) {
  for (const ExitCause cause : kAll) {
    for (const Desired desired : {Desired::Stopped, Desired::Absent}) {
      GuestRecord record = running();
      record.desired = desired;
      record.restarts = kMost;
      const GuestRecord after = after_exit(record, notice(cause), kMost);
      EXPECT_EQ(after.desired, desired);
      EXPECT_EQ(after.failure, "") << "that it went down is no fault";
      EXPECT_EQ(all_restarts(after), 0U);
    }
  }
}

TEST(AfterExit, MeetsTheWishToRestartHoweverTheGuestWent) {
  for (const ExitCause cause : kAll) {
    GuestRecord record = running();
    record.restart_asked = true;
    record.restarts = kMost;
    const GuestRecord after = after_exit(record, notice(cause), kMost);
    EXPECT_FALSE(after.restart_asked);
    EXPECT_EQ(after.desired, Desired::Running);
    EXPECT_EQ(after.failure, "");
  }
}

TEST(AfterExit, ChangesNothingTheSecondTime) {
  for (const ExitCause cause : kAll) {
    for (const bool restart : {false, true}) {
      GuestRecord record = running();
      record.restart_asked = restart;
      const GuestRecord once = after_exit(record, notice(cause), kMost);
      EXPECT_EQ(text_of(after_exit(once, notice(cause), kMost)), text_of(once));
    }
  }
}

TEST(AfterExit, GivesUpAfterTheLastDeathAllowed) {
  for (const unsigned most : {0U, 1U, 5U}) {
    GuestRecord record = running();
    for (unsigned death = 1; death <= most + 1; ++death) {
      EXPECT_EQ(record.failure, "") << death;
      record = after_exit(record, notice(ExitCause::Panicked, kStart + death), most);
    }
    EXPECT_EQ(record.failure, record.last_exit);
    EXPECT_EQ(record.restarts_ever["panicked"], most + 1);
    EXPECT_EQ(record.desired, Desired::Running) << "what its owner wants has not changed";
  }
}

TEST(AfterExit, ForgivesDeathsOfAGuestThatStayedUpLong) {
  GuestRecord record = running();
  record.restarts = kMost;
  record.restarts_ever = {{"crashed", 8}, {"panicked", 1}};
  EXPECT_NE(after_exit(record, notice(ExitCause::Crashed, kStart + 60'000), kMost).failure, "");
  const GuestRecord after = after_exit(record, notice(ExitCause::Crashed, kStart + 60'001), kMost);
  EXPECT_EQ(after.failure, "");
  EXPECT_EQ(after.restarts, 1U);
  EXPECT_EQ(after.restarts_ever.at("crashed"), 9U);
  EXPECT_EQ(all_restarts(after), 10U);
}

TEST(AfterExit, MakesAGuestThatRebootsAtOnceWaitAndNeverGivesItUp) {
  for (const unsigned most : {0U, 1U, kMost}) {
    GuestRecord record = running();
    for (unsigned reboot = 1; reboot <= 20; ++reboot) {
      record = after_exit(record, notice(ExitCause::Rebooted, kStart + reboot), most);
      EXPECT_EQ(record.restarts, std::min(reboot, std::max(1U, most)));
      EXPECT_EQ(record.failure, "");
    }
    EXPECT_EQ(record.desired, Desired::Running);
    EXPECT_EQ(all_restarts(record), 0U) << "that is for deaths";
  }
}

TEST(AfterExit, LetsAGuestRebootThatHasRunAWhile) {
  GuestRecord record = running();
  record.restarts = 2;
  EXPECT_EQ(after_exit(record, notice(ExitCause::Rebooted, kStart + 9'999), kMost).restarts, 3U);
  EXPECT_EQ(after_exit(record, notice(ExitCause::Rebooted, kStart + 10'000), kMost).restarts, 0U);
}

TEST(AfterExit, CountsADeathBeforeAnyStartWasSeen) {
  GuestRecord record = running();
  record.started_ms = 0;
  record.restarts = kMost;
  EXPECT_NE(after_exit(record, notice(ExitCause::Crashed), kMost).failure, "");
}

TEST(AfterExit, CountsDeathsWhoseStartNobodySawThoughTheLastLifeWasLong) {
  GuestRecord record = running();
  std::int64_t now = record.started_ms + 3'600'000;
  for (int death = 0; death < 20 && record.failure.empty(); ++death) {
    record = after_exit(record, notice(ExitCause::Crashed, now += 1000), kMost);
  }
  EXPECT_NE(record.failure, "");
}

TEST(AfterExit, HoldsBackOneThatRebootsAtOnceAndNeverGivesItUp) {
  GuestRecord record = running();
  for (int reboot = 0; reboot < 20; ++reboot) {
    record.started_ms = record.last_exit_ms + 100 + kStart * (reboot == 0);
    record = after_exit(record, notice(ExitCause::Rebooted, record.started_ms + 1000), kMost);
    EXPECT_EQ(record.failure, "");
    EXPECT_GT(record.restarts, 0U);
  }
  record.started_ms = record.last_exit_ms + 100;
  record = after_exit(record, notice(ExitCause::Rebooted, record.started_ms + 20'000), kMost);
  EXPECT_EQ(record.restarts, 0U);
}

TEST(WorthRetrying, IsAllButALastingFaultOnTheWayUp) {
  for (int number = 0; number <= static_cast<int>(Action::Forget); ++number) {
    const auto action = static_cast<Action>(number);
    const bool way_up = action == Action::MakeDisk || action == Action::MakeSwap ||
                        action == Action::MakeSeed || action == Action::Launch;
    for (const Kind kind : {Kind::NotFound, Kind::Invalid, Kind::Conflict}) {
      EXPECT_EQ(worth_retrying(action, kind), !way_up) << action_name(action) << " " << kind_name(kind);
    }
    for (const Kind kind :
         {Kind::QuotaExceeded, Kind::Denied, Kind::Unavailable, Kind::Timeout, Kind::Internal}) {
      EXPECT_TRUE(worth_retrying(action, kind)) << action_name(action) << " " << kind_name(kind);
    }
  }
}

quota::Usage killed(std::uint64_t kills) {
  quota::Usage usage;
  usage.memory_kills = kills;
  return usage;
}

TEST(ExitCause, IsTheHostsHandWhereItsGroupSaysSo) {
  const quota::Limits limits = guest_of(1, "alice").limits;
  const ExitNotice crash{"crashed", "its kernel was killed", 7};
  const ExitNotice out = with_cause(crash, limits, killed(1));
  EXPECT_EQ(out.cause, "out_of_memory");
  EXPECT_NE(out.detail.find(limits.memory.str()), std::string::npos) << out.detail;
  EXPECT_EQ(out.time_ms, 7);
  EXPECT_EQ(with_cause(crash, limits, killed(0)).cause, "crashed");
  quota::Usage by_the_host = killed(1);
  by_the_host.memory_peak = ByteSize(quota::group_memory(limits).bytes() / 2);
  EXPECT_EQ(with_cause(crash, limits, by_the_host).cause, "crashed") << "its group was not full";
  by_the_host.memory_peak = quota::group_memory(limits);
  EXPECT_EQ(with_cause(crash, limits, by_the_host).cause, "out_of_memory");
  // It lost a process once, and went on.
  EXPECT_EQ(with_cause({"powered_off", "", 7}, limits, killed(1)).cause, "powered_off");
}

TEST(AfterExit, OfAGuestThatIsGivenLessThanItHasLeavesItDown) {
  GuestRecord record = guest_of(1, "alice");
  const ExitNotice notice{"out_of_memory", "", 1000};
  EXPECT_EQ(after_exit(record, notice, 3).desired, Desired::Running);
  EXPECT_EQ(after_exit(record, notice, 3).restarts, 1U);
  record.limits.host_memory = ByteSize::mib(32);
  EXPECT_EQ(after_exit(record, notice, 3).desired, Desired::Stopped);
  EXPECT_EQ(after_exit(record, notice, 3).restarts, 0U);
  EXPECT_EQ(after_exit(record, notice, 3).restarts_ever.at("out_of_memory"), 1U) << "as alarms see it";
}

}  // namespace
}  // namespace umlfarm::daemon
