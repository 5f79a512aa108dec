// The loop that plans, acts and looks again, on a simulated host whose daemon dies at every point.
#include <gtest/gtest.h>

#include "tests/provisioner/daemon/world.h"

namespace umlfarm::daemon {
namespace {

constexpr int kMostRounds = 60;
constexpr int kNever = -1;
// More than the longest way that must be gone at once: to clear what is left, make swap, run directory and
// cgroups, and launch.
constexpr int kOneWay = 9;

// How the daemon fares while it works on the guest. Its deaths are counted in actions.
struct Daemon {
  int dies_at = kNever;
  int again_every = kNever;
  bool within = false;  // in the middle of the action; else after it
  int done = 0;

  bool dies(int action) const {
    if (dies_at == kNever || action < dies_at) return false;
    return action == dies_at || (again_every != kNever && (action - dies_at) % again_every == 0);
  }
  // False when the rest of the plan is lost.
  bool act(World& world, Action action) {
    const bool last = dies(done++);
    last&& within ? world.perform_half(action) : world.perform(action);
    return !last;
  }
};

// True when nothing is left to do.
bool step(World& world, Daemon& daemon) {
  const Plan todo = plan(world.record(), world.observed(), world.now_ms());
  for (const Action action : todo.actions) {
    if (!daemon.act(world, action) || world.gone()) break;
  }
  world.wait(todo.actions.empty() ? todo.again_ms : 0);
  return world.gone() || (todo.actions.empty() && todo.again_ms == 0);
}

bool converges(World& world, Daemon& daemon) {
  for (int round = 0; round < kMostRounds; ++round) {
    if (step(world, daemon)) return true;
    if (!world.broken().empty()) return false;
  }
  return false;
}

// What can be on a host: a guest that runs, or did and vanished, has a run directory, and its files are in
// its directory.
bool possible(const Observed& observed) {
  const bool files = observed.disk || observed.seed || observed.exit_recorded;
  if (observed.vanished && (observed.supervised || observed.exit_recorded)) return false;
  return (observed.run_directory || !(observed.supervised || observed.vanished)) &&
         (observed.directory || !files);
}

void expect_arrival(const GuestRecord& wanted, const World& world) {
  EXPECT_EQ(world.broken(), "");
  EXPECT_EQ(world.gone(), wanted.desired == Desired::Absent);
  const GuestRecord& now = world.record();
  const bool up = now.desired == Desired::Running && now.suspended.empty() && now.failure.empty();
  EXPECT_TRUE(!up || world.observed().supervised);
  EXPECT_TRUE(now.desired == Desired::Running || !world.observed().supervised);
  EXPECT_EQ(world.residue(), world.observed().supervised);
}

void expect_convergence(const GuestRecord& record, const Daemon& how) {
  for (const Observed& observed : all_observations()) {
    if (!possible(observed)) continue;
    World world(record, observed);
    Daemon daemon = how;
    EXPECT_TRUE(converges(world, daemon)) << world.broken();
    expect_arrival(record, world);
    if (::testing::Test::HasFailure()) {
      FAIL() << describe(record, observed) << ", the daemon dies " << (how.within ? "within" : "after")
             << " action " << how.dies_at;
    }
  }
}

TEST(Convergence, ReachesWhatIsDesiredFromEverywhere) {
  for (const GuestRecord& record : all_records()) expect_convergence(record, {});
}

TEST(Convergence, DoesSoThoughTheDaemonDiesAtAnyAction) {
  for (const GuestRecord& record : all_records()) {
    // When it died last only makes it wait.
    if (record.last_exit_ms != kNow - 1) continue;
    for (int action = 0; action < 16; ++action) {
      for (const bool within : {false, true}) expect_convergence(record, {action, kNever, within});
    }
  }
}

TEST(Convergence, DoesSoThoughTheDaemonDiesAgainAndAgain) {
  for (const GuestRecord& record : all_records()) {
    if (record.last_exit_ms != kNow - 1) continue;
    for (int action = 0; action < kOneWay; ++action) {
      for (const bool within : {false, true}) expect_convergence(record, {action, kOneWay, within});
    }
  }
}

constexpr const char* kVanished = "vanished";

// Starts the guest and lets it end so, `times` times; how often it was up.
int live_and_die(World& world, const std::string& cause, std::int64_t lifetime_ms, int times) {
  Daemon daemon;
  int lives = 0;
  while (lives < times && converges(world, daemon) && world.observed().supervised) {
    ++lives;
    world.wait(lifetime_ms);
    cause == kVanished ? world.lose_supervisor() : world.end_guest(cause);
  }
  converges(world, daemon);
  EXPECT_EQ(world.broken(), "");
  return lives;
}

TEST(Convergence, GivesUpOnAGuestThatDiesAtOnceTooOften) {
  for (const char* cause : {"panicked", "crashed", kVanished}) {
    World world({}, {});
    EXPECT_EQ(live_and_die(world, cause, 1000, 100), 6) << cause;
    EXPECT_NE(world.record().failure, "");
    EXPECT_FALSE(world.residue());
  }
}

TEST(Convergence, KeepsUpAGuestThatDiesSeldom) {
  World world({}, {});
  EXPECT_EQ(live_and_die(world, "crashed", kHour, 50), 50);
  EXPECT_TRUE(world.observed().supervised);
  EXPECT_EQ(all_restarts(world.record()), 50U);
}

TEST(Convergence, StartsAGuestAgainThatRebootsHoweverOften) {
  World world({}, {});
  EXPECT_EQ(live_and_die(world, "rebooted", 1, 50), 50);
  EXPECT_TRUE(world.observed().supervised);
}

TEST(Convergence, LeavesAGuestDownThatItsOwnerSwitchedOff) {
  World world({}, {});
  EXPECT_EQ(live_and_die(world, "powered_off", 1000, 50), 1);
  EXPECT_EQ(world.record().desired, Desired::Stopped);
  EXPECT_FALSE(world.residue());
}

TEST(Convergence, KeepsTheFilesOfAStoppedGuest) {
  GuestRecord record;
  record.desired = Desired::Stopped;
  Observed observed;
  observed.supervised = observed.run_directory = observed.directory = observed.disk = observed.seed = true;
  World world(record, observed);
  Daemon daemon;
  ASSERT_TRUE(converges(world, daemon));
  EXPECT_TRUE(world.observed().directory && world.observed().disk && world.observed().seed);
  EXPECT_FALSE(world.residue());
}

}  // namespace
}  // namespace umlfarm::daemon
