// The daemon is killed at each effect of each request in turn, before it and after it: started again it
// converges, and once the guest is deleted nothing is left.
#include "tests/support/test_farm.h"

namespace umlfarm::testing {
namespace {

const std::vector<std::string> kMoments{"before", "after"};

// Daemon and guest are as they should be; the guest goes, and nothing may be left.
void expect_clean_end(TestFarm& farm, const std::string& name, const std::string& point) {
  if (farm.umlfarm({"show", name}).code == 0) farm.ok({"delete", name});
  EXPECT_EQ(farm.leftovers(), Traces()) << "after " << point;
}

bool becomes(const TestFarm& farm, const std::string& name, const std::string& state) {
  return eventually([&] { return farm.field(name, "state") == state; }, 30);
}

// The daemon dies at `point` of `request`, and comes back.
void die_at(TestFarm& farm, const std::string& point, const std::vector<std::string>& request) {
  farm.end_daemon();
  farm.start_daemon(point);
  const Ran ran = farm.umlfarm(request);
  ASSERT_TRUE(farm.daemon_died()) << point << " was never reached: " << ran.err;
  farm.start_daemon();
}

TEST(Failpoint, EachOfCreate) {
  TestFarm farm("[[plan]]\nname = 'swapping'\nmemory = '32M'\ndisk = '1G'\nswap = '16M'\n");
  for (const char* effect : {"admit", "make-directory", "make-disk", "make-swap", "make-seed", "make-run",
                             "make-cgroups", "launch"}) {
    for (const std::string& moment : kMoments) {
      const std::string point = std::string(effect) + ":" + moment;
      die_at(farm, point,
             {"create", "alice", "--image", "tiny", "--plan", "swapping", "--ssh-key", farm.public_key()});
      const bool admitted = point != "admit:before";
      ASSERT_EQ(farm.umlfarm({"show", "alice"}).code == 0, admitted) << point;
      if (admitted) {
        EXPECT_TRUE(becomes(farm, "alice", "ready")) << point;
      }
      expect_clean_end(farm, "alice", "create, " + point);
    }
  }
}

TEST(Failpoint, EachOfStop) {
  TestFarm farm;
  for (const char* effect :
       {"stop", "record-exit", "kill-rest", "detach-network", "remove-cgroups", "remove-run"}) {
    for (const std::string& moment : kMoments) {
      const std::string point = std::string(effect) + ":" + moment;
      farm.create("alice");
      die_at(farm, point, {"stop", "alice"});
      EXPECT_TRUE(becomes(farm, "alice", "stopped")) << point;
      EXPECT_EQ(processes_of(farm.first_uid(), TestFarm::kUids), Traces()) << point;
      expect_clean_end(farm, "alice", "stop, " + point);
    }
  }
}

TEST(Failpoint, EachOfStart) {
  TestFarm farm;
  farm.create("alice");
  for (const char* effect : {"make-run", "make-cgroups", "launch"}) {
    for (const std::string& moment : kMoments) {
      const std::string point = std::string(effect) + ":" + moment;
      farm.ok({"stop", "alice"});
      die_at(farm, point, {"start", "alice"});
      EXPECT_TRUE(becomes(farm, "alice", "ready")) << point;
      EXPECT_EQ(farm.in_guest("alice", "hostname"), "alice\n");
    }
  }
  expect_clean_end(farm, "alice", "start");
}

TEST(Failpoint, EachOfDelete) {
  TestFarm farm;
  for (const char* effect : {"stop", "record-exit", "kill-rest", "detach-network", "remove-cgroups",
                             "remove-run", "remove-files", "forget"}) {
    for (const std::string& moment : kMoments) {
      const std::string point = std::string(effect) + ":" + moment;
      farm.create("alice");
      die_at(farm, point, {"delete", "alice"});
      EXPECT_TRUE(eventually([&] { return farm.umlfarm({"show", "alice"}).code == 3; }, 30)) << point;
      EXPECT_EQ(farm.leftovers(), Traces()) << "after delete, " << point;
    }
  }
}

}  // namespace
}  // namespace umlfarm::testing
