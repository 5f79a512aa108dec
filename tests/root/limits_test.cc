// What a guest is promised, changed while it runs: what it can use, and what the host holds of it.
#include <boost/json.hpp>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "provisioner/base/posix.h"
#include "quota/cost.h"
#include "tests/support/test_farm.h"

namespace umlfarm::testing {
namespace {

constexpr std::int64_t kMiB = 1 << 20;
// UML's own pages in the memory file.
constexpr std::int64_t kOwnPages = 2 * kMiB;

std::string plans() {
  return "[[plan]]\nname = 'wide'\nmemory = '256M'\ndisk = '1G'\nprocesses = 128\n"
         "[[plan]]\nname = 'low'\nmemory = '64M'\nmemory_ceiling = '256M'\ndisk = '1G'\nprocesses = 128\n";
}

std::string size_by_kernel(const TestFarm& farm, const std::string& guest) {
  return farm.ok({"mconsole", guest, "config mem"});
}

std::string mib(std::int64_t size) { return std::to_string(size * kMiB) + "\n"; }

std::int64_t used(const TestFarm& farm, const std::string& guest, const char* what,
                  const char* key = "used") {
  return farm.json({"quota", guest}).at(what).at(key).to_number<std::int64_t>();
}

// A file of so many MiB in the guest's memory.
void fill(const TestFarm& farm, const std::string& guest, int megabytes) {
  farm.in_guest(guest,
                "mkdir -p /tmp/m && mount -t tmpfs -o size=90% none /tmp/m && dd if=/dev/zero of=/tmp/m/x "
                "bs=1M count=" +
                    std::to_string(megabytes) + " 2>/dev/null");
}

// The host's blocks, not the guest's word.
void expect_moved(const TestFarm& farm, const std::string& from, const std::string& to) {
  fill(farm, from, 170);
  EXPECT_GT(farm.number(from, "memory_allocated"), 170 * kMiB);
  farm.in_guest(from, "umount /tmp/m");
  farm.ok({"set", from, "--memory", "64M"});
  EXPECT_LE(farm.number(from, "memory_allocated"), 64 * kMiB + kOwnPages);
  EXPECT_EQ(size_by_kernel(farm, from), mib(64));
  farm.ok({"set", to, "--memory", "256M"});
  EXPECT_EQ(size_by_kernel(farm, to), mib(256));
  for (const std::string& guest : {from, to}) EXPECT_EQ(farm.in_guest(guest, "hostname"), guest + "\n");
}

TEST(Memory, MovesBetweenRunningGuestsAndBackWithNothingLost) {
  const int rounds =
      std::getenv("UMLFARM_TEST_FULL") != nullptr && *std::getenv("UMLFARM_TEST_FULL") != 0 ? 100 : 3;
  const TestFarm farm(plans());
  farm.create("alice", {"--plan", "wide"});
  farm.create("bob", {"--plan", "low"});
  EXPECT_TRUE(eventually([&] { return size_by_kernel(farm, "bob") == mib(64); }));
  const std::int64_t started[] = {farm.number("alice", "started_ms"), farm.number("bob", "started_ms")};
  const auto promised = [&] { return boost::json::serialize(farm.json({"status"}).at("memory")); };
  const std::string before = promised();
  std::int64_t first_held = 0;
  for (int round = 0; round < rounds && !::testing::Test::HasFailure(); ++round) {
    expect_moved(farm, "alice", "bob");
    expect_moved(farm, "bob", "alice");
    EXPECT_EQ(promised(), before);
    const auto held = used(farm, "bob", "host_memory");
    if (round == 0) first_held = held;
    EXPECT_LE(held, first_held + 8 * kMiB) << "in round " << round;
  }
  EXPECT_EQ(farm.number("alice", "started_ms"), started[0]);
  EXPECT_EQ(farm.number("bob", "started_ms"), started[1]);
}

TEST(Memory, OfAGuestThatNeedsItIsTakenOnlyInPart) {
  const TestFarm farm(plans());
  farm.create("alice", {"--plan", "wide"});
  fill(farm, "alice", 120);
  const Ran ran = farm.umlfarm({"set", "alice", "--memory", "32M"});
  EXPECT_EQ(ran.code, 5) << ran.out << ran.err;
  EXPECT_NE(ran.out.find("32 MiB asked"), std::string::npos) << ran.out;
  const std::int64_t now = farm.number("alice", "memory");
  EXPECT_GT(now, 120 * kMiB);
  EXPECT_LT(now, 200 * kMiB);
  EXPECT_EQ(size_by_kernel(farm, "alice"), std::to_string(now) + "\n");
  EXPECT_EQ(farm.in_guest("alice", "wc -c </tmp/m/x"), std::to_string(120 * kMiB) + "\n");
  farm.in_guest("alice", "rm /tmp/m/x");
  farm.ok({"set", "alice", "--memory", "32M"});
  EXPECT_EQ(size_by_kernel(farm, "alice"), mib(32));
}

TEST(Memory, IsWhatWasPromisedHoweverTheDaemonDied) {
  TestFarm farm(plans());
  farm.create("alice", {"--plan", "wide"});
  // As a daemon leaves it that dies between what it takes and what it writes.
  farm.ok({"mconsole", "alice", "config mem=-100M"});
  farm.kill_daemon();
  farm.start_daemon();
  EXPECT_TRUE(eventually([&] { return size_by_kernel(farm, "alice") == mib(256); }));
  farm.ok({"set", "alice", "--memory", "64M"});
  farm.kill_daemon();
  farm.start_daemon();
  EXPECT_EQ(farm.number("alice", "memory"), 64 * kMiB);
  farm.ok({"restart", "alice"});
  EXPECT_TRUE(eventually([&] { return size_by_kernel(farm, "alice") == mib(64); }));
}

// As the kernel has it, by the group that the guest's own process is in.
TEST(Memory, LimitsTheControlGroupToWhatIsPromised) {
  const TestFarm farm(plans());
  farm.create("alice", {"--plan", "wide"});
  const std::string id = farm.id("alice");
  std::string group;
  const std::string groups =
      posix::read_file("/proc/" + std::to_string(farm.kernel_of("alice")) + "/cgroup").value_or("");
  for (const char* const root : {"/sys/fs/cgroup/memory", "/sys/fs/cgroup"}) {
    const std::size_t at = groups.find("/umlfarm-");
    ASSERT_NE(at, std::string::npos) << groups;
    const std::string path = root + groups.substr(at, groups.find('\n', at) - at);
    if (group.empty() && posix::exists(path)) group = path;
  }
  if (group.empty()) GTEST_SKIP() << "this host has no memory controller";
  const auto limit = [&] {
    const bool v1 = posix::exists(group + "/memory.limit_in_bytes");
    return posix::read_file(group + (v1 ? "/memory.limit_in_bytes" : "/memory.max")).value_or("");
  };
  quota::Limits limits{ByteSize::mib(256), ByteSize(), ByteSize(),
                       static_cast<unsigned>(farm.number("alice", "processes"))};
  EXPECT_EQ(limit(), std::to_string(quota::group_memory(limits).bytes()) + "\n");
  EXPECT_EQ(used(farm, "alice", "host_memory", "limit"),
            static_cast<std::int64_t>(group_memory(limits).bytes()));
  farm.ok({"set", "alice", "--memory", "64M"});
  limits.memory = ByteSize::mib(64);
  limits.memory_ceiling = ByteSize::mib(256);
  EXPECT_EQ(limit(), std::to_string(quota::group_memory(limits).bytes()) + "\n");
}

TEST(Limits, OfAStoppedGuestHoldFromItsNextStart) {
  const TestFarm farm(plans());
  farm.create("alice", {"--plan", "wide"});
  const Ran refused = farm.umlfarm({"set", "alice", "--memory", "300M", "--processes", "99"});
  EXPECT_EQ(refused.code, 5);
  EXPECT_NE(refused.err.find("--restart"), std::string::npos) << refused.err;
  EXPECT_EQ(farm.number("alice", "memory"), 256 * kMiB) << "nothing of it is done";
  farm.ok({"stop", "alice"});
  farm.ok({"set", "alice", "--memory", "300M", "--processes", "99"});
  farm.ok({"start", "alice"});
  EXPECT_EQ(size_by_kernel(farm, "alice"), mib(300));
  const std::int64_t started = farm.number("alice", "started_ms");
  farm.ok({"set", "alice", "--plan", "low", "--restart"});
  EXPECT_GT(farm.number("alice", "started_ms"), started);
  EXPECT_EQ(farm.field("alice", "plan"), "low");
  EXPECT_TRUE(eventually([&] { return size_by_kernel(farm, "alice") == mib(64); }));
}

TEST(Cpu, IsCappedAtWhatThePlanSays) {
  const TestFarm farm(plan_of("slow", "cpu_percent = 20\ncpu_weight = 50"));
  farm.create("alice", {"--plan", "slow"});
  farm.in_guest("alice", "(while :; do :; done) >/dev/null 2>&1 &");
  const auto begun = std::chrono::steady_clock::now();
  const std::int64_t before = used(farm, "alice", "cpu", "used_ns");
  const std::int64_t held = used(farm, "alice", "cpu", "held_ns");
  std::this_thread::sleep_for(std::chrono::seconds(5));
  const auto ran = static_cast<double>(used(farm, "alice", "cpu", "used_ns") - before) / 1e9;
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun;
  // 20 of each 100 ms: over five seconds a 50th, and a period at each end.
  EXPECT_LE(ran / passed.count(), 0.20 * 1.02 + 0.02);
  EXPECT_GT(ran, 0.1) << "it did not run at all";
  EXPECT_GT(used(farm, "alice", "cpu", "held_ns"), held);
  farm.ok({"set", "alice", "--cpu-percent", "0", "--cpu-weight", "200"});
  const std::int64_t freed = used(farm, "alice", "cpu", "held_ns");
  std::this_thread::sleep_for(std::chrono::seconds(1));
  EXPECT_EQ(used(farm, "alice", "cpu", "held_ns"), freed);
}

TEST(Tenant, IsHeldToItsLimitsOverAllItsGuests) {
  const TestFarm farm(plans());
  farm.ok({"tenant", "create", "physics", "--memory", "300M", "--user-guests", "1"});
  farm.create("alice", {"--tenant", "physics", "--user", "alice", "--plan", "low"});
  const auto refused = [&](const std::string& name, std::vector<std::string> more) {
    const Ran ran = farm.umlfarm(farm.create_arguments(name, std::move(more)));
    EXPECT_EQ(ran.code, 6) << ran.err;
    return ran.err;
  };
  EXPECT_NE(
      refused("b", {"--tenant", "physics", "--user", "alice", "--plan", "low"}).find("user physics/alice"),
      std::string::npos);
  EXPECT_NE(refused("b", {"--tenant", "physics", "--plan", "wide"})
                .find("tenant physics has 236 MiB of 300 MiB left"),
            std::string::npos);
  const Ran grown = farm.umlfarm({"set", "alice", "--memory", "256M"});
  EXPECT_EQ(grown.code, 0) << grown.err;
  farm.ok({"tenant", "set", "physics", "--memory", "200M"});
  const Ran more = farm.umlfarm({"set", "alice", "--memory", "200M", "--cpu-weight", "10"});
  EXPECT_EQ(more.code, 0) << "less than it has: " << more.err;
  EXPECT_EQ(farm.umlfarm({"set", "alice", "--memory", "204M"}).code, 6);
  EXPECT_EQ(farm.umlfarm({"tenant", "delete", "physics"}).code, 5);
  farm.ok({"delete", "alice"});
  farm.ok({"tenant", "delete", "physics"});
}

}  // namespace
}  // namespace umlfarm::testing
