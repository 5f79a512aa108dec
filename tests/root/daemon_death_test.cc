// The daemon may die at any moment: no guest notices, and nothing is left behind.
#include <signal.h>

#include "tests/support/test_farm.h"

namespace umlfarm::testing {
namespace {

TEST(DaemonDeath, LeavesGuestsRunning) {
  TestFarm farm;
  farm.create("lab", {"--count", "3"});
  const std::int64_t started = farm.number("lab-2", "started_ms");
  const pid_t kernel = farm.kernel_of("lab-2");
  const auto processors = farm.json({"show", "lab-2"}).at("processors");
  farm.kill_daemon();
  EXPECT_EQ(::kill(kernel, 0), 0);
  farm.start_daemon();
  for (const char* name : {"lab-1", "lab-2", "lab-3"}) {
    EXPECT_TRUE(eventually([&] { return farm.field(name, "state") == "ready"; })) << name;
  }
  EXPECT_EQ(farm.number("lab-2", "started_ms"), started);
  EXPECT_EQ(farm.kernel_of("lab-2"), kernel);
  EXPECT_EQ(farm.json({"show", "lab-2"}).at("processors"), processors);
  EXPECT_EQ(farm.in_guest("lab-2", "hostname"), "lab-2\n");
}

TEST(DaemonDeath, LeavesNobodyListening) {
  TestFarm farm;
  farm.create("alice");
  farm.kill_daemon();
  const Ran ran = farm.umlfarm({"status"});
  EXPECT_EQ(ran.code, 8) << ran.err;
  EXPECT_NE(ran.err.find("is umlfarmd running?"), std::string::npos) << ran.err;
  farm.start_daemon();
}

TEST(DaemonDeath, OfAGuestMeanwhileIsNoticedAfterwards) {
  TestFarm farm;
  farm.create("alice");
  const std::int64_t started = farm.number("alice", "started_ms");
  const pid_t kernel = farm.kernel_of("alice");
  farm.kill_daemon();
  ASSERT_EQ(::kill(kernel, SIGKILL), 0);
  ASSERT_TRUE(eventually([&] { return processes_of(farm.first_uid(), TestFarm::kUids).empty(); }));
  farm.start_daemon();
  EXPECT_TRUE(eventually([&] { return farm.is_ready_again("alice", started); }));
  EXPECT_EQ(farm.number("alice", "restarts"), 1);
}

TEST(DaemonDeath, OfASupervisorTooEndsInARunningGuest) {
  TestFarm farm;
  farm.create("alice");
  const std::int64_t started = farm.number("alice", "started_ms");
  for (const std::string& trace : traces(farm.root(), farm.first_uid(), TestFarm::kUids)) {
    if (trace.find("umlfarm-supervisor") == std::string::npos) continue;
    ::kill(std::stoi(trace.substr(trace.find(' ') + 1)), SIGKILL);
  }
  EXPECT_TRUE(eventually([&] { return farm.is_ready_again("alice", started); }));
  EXPECT_EQ(farm.number("alice", "restarts"), 1);
  EXPECT_NE(farm.ok({"events", "--guest", "alice"}).find("left no record"), std::string::npos);
  farm.ok({"delete", "alice"});
  EXPECT_EQ(farm.leftovers(), Traces());
}

TEST(Daemon, DoesNotBeginAnewOverAStateThatIsLost) {
  TestFarm farm;
  farm.create("alice");
  const std::string disk = farm.state("guests/" + farm.id("alice") + "/disk.cow");
  farm.end_daemon();
  const std::string database = farm.state("state.db");
  ASSERT_EQ(run_program({"mv", database, database + ".away"}).code, 0);
  const Ran refused = farm.run_daemon();
  EXPECT_EQ(refused.code, 5);
  EXPECT_NE(refused.err.find("restore it from a backup"), std::string::npos) << refused.err;
  EXPECT_TRUE(posix::exists(disk));
  ASSERT_EQ(run_program({"mv", database + ".away", database}).code, 0);
  farm.start_daemon();
  EXPECT_EQ(farm.in_guest("alice", "hostname"), "alice\n");
}

// As the machine does when it goes down: after the daemon, before everything else.
TEST(Daemon, StopsGuestsForTheHostAndStartsThemAgain) {
  TestFarm farm;
  farm.create("lab", {"--count", "2"});
  farm.in_guest("lab-1", "echo precious >/root/file");
  farm.end_daemon();
  const Ran halted = farm.run_daemon({"--halt-guests"});
  EXPECT_EQ(halted.code, 0) << halted.err;
  EXPECT_EQ(processes_of(farm.first_uid(), TestFarm::kUids), Traces());
  farm.start_daemon();
  for (const char* name : {"lab-1", "lab-2"}) {
    EXPECT_TRUE(eventually([&] { return farm.field(name, "state") == "ready"; })) << name;
    EXPECT_EQ(farm.number(name, "restarts"), 0) << "that is no death of its own";
  }
  EXPECT_EQ(farm.in_guest("lab-1", "cat /root/file"), "precious\n");
}

TEST(Supervisor, StopsItsGuestOnSigterm) {
  TestFarm farm;
  farm.create("alice");
  farm.in_guest("alice", "echo precious >/root/file");
  const std::int64_t started = farm.number("alice", "started_ms");
  for (const std::string& trace : traces(farm.root(), farm.first_uid(), TestFarm::kUids)) {
    if (trace.find("umlfarm-supervisor") != std::string::npos)
      ::kill(std::stoi(trace.substr(trace.find(' ') + 1)), SIGTERM);
  }
  EXPECT_TRUE(eventually([&] { return farm.is_ready_again("alice", started); }));
  EXPECT_EQ(farm.in_guest("alice", "cat /root/file"), "precious\n");
}

TEST(Daemon, IsAloneOnItsState) {
  const TestFarm farm;
  const Ran second = run_program(
      {std::string(UMLFARM_BUILD_DIRECTORY) + "/provisioner/daemon/umlfarmd", "--root", farm.root()});
  EXPECT_EQ(second.code, 5) << second.err;
  EXPECT_NE(second.err.find("another umlfarmd runs on"), std::string::npos) << second.err;
  // The first one serves on.
  farm.ok({"status"});
}

}  // namespace
}  // namespace umlfarm::testing
