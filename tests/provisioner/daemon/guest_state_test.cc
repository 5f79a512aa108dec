#include <gtest/gtest.h>

#include <functional>

#include "provisioner/daemon/farm.h"
#include "tests/provisioner/daemon/records.h"

namespace umlfarm::daemon {
namespace {

using State = guest::SupervisorStatus::State;

constexpr std::int64_t kNow = 1'700'000'000'000;
constexpr unsigned kReadySeconds = 120;

void run(Guest& guest, State state) {
  guest.live.supervised = true;
  guest.live.status.state = state;
  guest.live.status.started_ms = kNow - 1000;
  guest.record.started_ms = kNow - 1000;
}

TEST(GuestState, FollowsFromWhatIsWantedAndWhatIsSeen) {
  const struct {
    std::function<void(Guest&)> change;
    const char* name;
    const char* reason;  // a part of it; empty: there is none
  } rows[] = {
      {[](Guest&) {}, "creating", ""},
      {[](Guest& g) { g.live.trouble = "make-disk: no room"; }, "creating", "no room"},
      {[](Guest& g) { run(g, State::Starting); }, "starting", ""},
      {[](Guest& g) { run(g, State::Ready); }, "ready", ""},
      {[](Guest& g) { run(g, State::Unhealthy); }, "unhealthy", "console"},
      {[](Guest& g) { run(g, State::Stopping); }, "stopping", ""},
      {[](Guest& g) { g.record.last_exit_ms = kNow, g.record.last_exit = "crashed: x"; }, "starting",
       "crashed"},
      {[](Guest& g) { g.record.started_ms = 1, g.live.trouble = "launch: busy"; }, "starting", "busy"},
      {[](Guest& g) { g.record.desired = Desired::Stopped; }, "stopped", ""},
      {[](Guest& g) { g.record.desired = Desired::Stopped, g.record.last_exit = "killed: late"; }, "stopped",
       "late"},
      {[](Guest& g) { run(g, State::Ready), g.record.desired = Desired::Stopped; }, "stopping", ""},
      {[](Guest& g) { g.record.suspended = "not paid"; }, "suspended", "not paid"},
      {[](Guest& g) { run(g, State::Ready), g.record.suspended = "not paid"; }, "stopping", "not paid"},
      {[](Guest& g) { g.record.suspended = "no", g.record.desired = Desired::Absent; }, "deleting", ""},
      {[](Guest& g) { g.record.failure = "launch: no"; }, "failed", "launch: no"},
      {[](Guest& g) { g.record.failure = "no", g.record.desired = Desired::Absent; }, "deleting", ""},
      {[](Guest& g) { run(g, State::Ready), g.record.desired = Desired::Absent; }, "deleting", ""},
      {[](Guest& g) { g.record.desired = Desired::Absent, g.live.trouble = "kill-rest: x"; }, "deleting",
       "kill-rest"},
  };
  for (const auto& row : rows) {
    Guest guest{guest_of(1, "alice"), {}};
    row.change(guest);
    const GuestState state = state_of(guest, kNow, kReadySeconds);
    EXPECT_EQ(state.name, row.name) << "row " << &row - rows;
    EXPECT_NE(state.reason.find(row.reason), std::string::npos) << "row " << &row - rows << state.reason;
    EXPECT_EQ(state.reason.empty(), *row.reason == '\0') << "row " << &row - rows << state.reason;
  }
}

TEST(GuestState, IsUnhealthyWhenAGuestIsNotReadyInTime) {
  Guest guest{guest_of(1, "alice"), {}};
  run(guest, State::Starting);
  const std::int64_t started = guest.live.status.started_ms;
  EXPECT_EQ(state_of(guest, started + 120'000, kReadySeconds).name, "starting");
  const GuestState late = state_of(guest, started + 120'001, kReadySeconds);
  EXPECT_EQ(late.name, "unhealthy");
  EXPECT_NE(late.reason.find("umlfarm logs alice"), std::string::npos);
  run(guest, State::Ready);
  EXPECT_EQ(state_of(guest, started + 120'001, kReadySeconds).name, "ready");
}

TEST(GuestState, GivesASupervisorTimeToSayWhenItsGuestStarted) {
  Guest guest{guest_of(1, "alice"), {}};
  guest.live.supervised = true;
  EXPECT_EQ(state_of(guest, kNow, kReadySeconds).name, "starting");
}

}  // namespace
}  // namespace umlfarm::daemon
