// What a guest is promised, changed while it runs: what it can use, and what the host holds of it.
#include <boost/json.hpp>
#include <chrono>
#include <cstdlib>
#include <map>
#include <set>
#include <thread>

#include "provisioner/base/posix.h"
#include "quota/cost.h"
#include "tests/support/test_farm.h"

namespace umlfarm::testing {
namespace {

constexpr std::int64_t kMiB = 1 << 20;

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
  EXPECT_LE(farm.number(from, "memory_allocated"),
            64 * kMiB + static_cast<std::int64_t>(quota::kMemoryFileSlack.bytes()));
  EXPECT_EQ(size_by_kernel(farm, from), mib(64));
  farm.ok({"set", to, "--memory", "256M"});
  EXPECT_EQ(size_by_kernel(farm, to), mib(256));
  for (const std::string& guest : {from, to}) EXPECT_EQ(farm.in_guest(guest, "hostname"), guest + "\n");
}

// What the kernel lets it hold, by the group that the guest's own process is in; empty where there is none.
std::string limit_of(const TestFarm& farm, const std::string& guest) {
  const std::string groups =
      posix::read_file("/proc/" + std::to_string(farm.kernel_of(guest)) + "/cgroup").value_or("");
  const std::size_t at = groups.find("/umlfarm-");
  if (at == std::string::npos) return "";
  const std::string group = groups.substr(at, groups.find('\n', at) - at);
  for (const std::string& file : {"/sys/fs/cgroup/memory" + group + "/memory.limit_in_bytes",
                                  "/sys/fs/cgroup" + group + "/memory.max"}) {
    if (const auto text = posix::read_file(file)) return *text;
  }
  return "";
}

TEST(Memory, MovesBetweenRunningGuestsAndBackWithNothingLost) {
  const int rounds = in_full() ? 100 : 3;
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
  // Between what it takes, what the group allows and what it writes: nothing is promised away yet.
  const std::string before = limit_of(farm, "alice");
  for (const char* const moment : {"take-memory:before", "take-memory:after"}) {
    farm.end_daemon();
    farm.start_daemon(moment);
    (void)farm.umlfarm({"set", "alice", "--memory", "64M"});
    EXPECT_TRUE(farm.daemon_died()) << moment;
    farm.start_daemon();
    EXPECT_EQ(farm.number("alice", "memory"), 256 * kMiB);
    EXPECT_TRUE(eventually([&] { return size_by_kernel(farm, "alice") == mib(256); })) << moment;
    EXPECT_TRUE(eventually([&] { return limit_of(farm, "alice") == before; })) << moment;
  }
  // As one leaves it that dies between what it writes and what it gives.
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

TEST(Memory, LimitsTheControlGroupToWhatIsPromised) {
  const TestFarm farm(plans());
  farm.create("alice", {"--plan", "wide"});
  if (limit_of(farm, "alice").empty()) GTEST_SKIP() << "this host has no memory controller";
  quota::Limits limits{ByteSize::mib(256), ByteSize(), ByteSize(),
                       static_cast<unsigned>(farm.number("alice", "processes"))};
  EXPECT_EQ(limit_of(farm, "alice"), std::to_string(quota::group_memory(limits).bytes()) + "\n");
  EXPECT_EQ(used(farm, "alice", "host_memory", "limit"),
            static_cast<std::int64_t>(group_memory(limits).bytes()));
  farm.ok({"set", "alice", "--memory", "64M"});
  limits.memory = ByteSize::mib(64);
  limits.memory_ceiling = ByteSize::mib(256);
  EXPECT_EQ(limit_of(farm, "alice"), std::to_string(quota::group_memory(limits).bytes()) + "\n");
}

// More than this host has, most of it never touched.
TEST(Memory, OfTheCapacityPlanIsLookedAtAndUsedOnlyAsFarAsTheHostGivesIt) {
  // Its disk is thin, and stays so.
  const TestFarm farm("[capacity]\ndisk_percent = 10000\n");
  if (farm.json({"host", "show"}).at("memory").at("capacity").to_number<std::int64_t>() < 5 * 1024 * kMiB)
    GTEST_SKIP() << "this host has no 5 GiB of memory for a guest";
  farm.create("bob");
  farm.create("alice", {"--plan", "capacity"});
  const auto total = [&] {
    return std::stoll(farm.in_guest("alice", "awk '/MemTotal/{print $2}' /proc/meminfo"));
  };
  EXPECT_GT(total(), 62LL * 1024 * 1024);
  if (limit_of(farm, "alice").empty()) GTEST_SKIP() << "this host has no memory controller";
  farm.in_guest(
      "alice", "mkdir /m; mount -t tmpfs -o size=60g none /m; dd if=/dev/zero of=/m/a bs=1M count=2048 2>&1");
  EXPECT_GT(used(farm, "alice", "memory"), 2048 * kMiB);
  EXPECT_LT(used(farm, "alice", "host_memory"), 4096 * kMiB);
  EXPECT_EQ(farm.in_guest("alice", "hostname"), "alice\n");
  const std::int64_t bob = farm.number("bob", "started_ms");
  farm.in_guest("alice", "(sleep 0.5; dd if=/dev/zero of=/m/b bs=1M count=4096) >/dev/null 2>&1 &");
  EXPECT_TRUE(eventually([&] { return farm.field("alice", "state") == "stopped"; }));
  EXPECT_NE(farm.field("alice", "reason").find("out_of_memory"), std::string::npos)
      << farm.field("alice", "reason");
  EXPECT_NE(farm.field("alice", "reason").find("4 GiB"), std::string::npos);
  EXPECT_EQ(farm.number("bob", "started_ms"), bob) << "its neighbour noticed";
  EXPECT_EQ(farm.in_guest("bob", "hostname"), "bob\n");
  farm.ok({"start", "alice"});
  EXPECT_GT(total(), 62LL * 1024 * 1024);
}

TEST(Memory, ThatAnIdleGuestOnlyCachesGoesBackToAHostThatWaitsForIt) {
  const TestFarm farm("[guests]\nreclaim_pressure = 0\n" + plans());
  farm.create("alice", {"--plan", "wide"});
  farm.in_guest("alice", "head -c 60000000 /dev/urandom >/root/x; sync; md5sum /root/x >/root/sum");
  const auto reclaimed = [&] { return farm.ok({"events"}).find("alice  reclaimed") != std::string::npos; };
  ASSERT_TRUE(eventually(reclaimed)) << farm.ok({"events"});
  EXPECT_LT(farm.number("alice", "memory_allocated"), 60 * kMiB);
  EXPECT_EQ(size_by_kernel(farm, "alice"), mib(256)) << "it has what it is promised";
  EXPECT_EQ(farm.ssh("alice", "md5sum -c /root/sum").code, 0);
  EXPECT_EQ(farm.number("alice", "memory"), 256 * kMiB);
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

// Each of a guest's processes is one of the host's.
TEST(Processes, OfAGuestEndAtWhatThePlanSays) {
  const TestFarm farm(plan_of("few", "processes = 40"));
  for (const char* const guest : {"alice", "bob"}) farm.create(guest, {"--plan", "few"});
  const std::int64_t limit = used(farm, "alice", "processes", "limit");
  // Its shell ends, with its session, when it can have no more. Those that were made but have not begun what
  // they are to run end as well: so each is given the time to.
  (void)farm.ssh("alice",
                 "for i in $(seq 200); do sleep 600 >/dev/null 2>&1 & "
                 "j=0; while [ $j -lt 10000 ]; do j=$((j + 1)); done; done");
  EXPECT_EQ(used(farm, "alice", "processes", "peak"), limit);
  EXPECT_GE(used(farm, "alice", "processes"), limit - 8);
  EXPECT_EQ(farm.in_guest("bob", "hostname"), "bob\n");
  farm.ok({"stop", "alice", "--timeout", "1"});
  farm.ok({"start", "alice"});
  EXPECT_EQ(farm.in_guest("alice", "hostname"), "alice\n");
}

// Bytes a second that the host's disk gave or took for the guest while it did that. What the guest reads is
// no longer in the host's memory then.
double disk_rate(const TestFarm& farm, const char* what, const std::string& command) {
  EXPECT_EQ(run_program({"dd", "if=" + farm.state("guests/" + farm.id("alice") + "/disk.cow"),
                         "iflag=nocache", "count=0", "status=none"})
                .code,
            0);
  const auto begun = std::chrono::steady_clock::now();
  const std::int64_t before = used(farm, "alice", "disk_io", what);
  farm.in_guest("alice", command);
  const auto bytes = static_cast<double>(used(farm, "alice", "disk_io", what) - before);
  EXPECT_GT(bytes, 16.0 * kMiB) << "not from the disk";
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun;
  // The kernel looks each 100 ms.
  return bytes / (passed.count() + 0.1);
}

TEST(DiskRate, IsWhatThePlanSaysEachWay) {
  const TestFarm farm(plan_of("slow", "read_rate = '4M'\nwrite_rate = '4M'"));
  if (farm.ok({"status"}).find("disk rates") != std::string::npos)
    GTEST_SKIP() << "no rates of the disk on this host";
  farm.create("alice", {"--plan", "slow"});
  const std::string write = "dd if=/dev/zero of=/root/x bs=1M count=20 conv=fsync 2>/dev/null";
  const std::string read = "echo 3 >/proc/sys/vm/drop_caches; cat /root/x >/dev/null";
  EXPECT_LE(disk_rate(farm, "written", write), 4 * kMiB * 1.02);
  EXPECT_LE(disk_rate(farm, "read", read), 4 * kMiB * 1.02);
  farm.ok({"set", "alice", "--read-rate", "0", "--write-rate", "0"});
  // Another disk than a slow one does this faster; the same words have then been held back by the limit.
  EXPECT_GT(disk_rate(farm, "written", write), 8 * kMiB);
  EXPECT_GT(disk_rate(farm, "read", read), 8 * kMiB);
  farm.ok({"set", "alice", "--write-operations", "20"});
  const auto begun = std::chrono::steady_clock::now();
  farm.in_guest("alice", "for i in $(seq 20); do echo $i >/root/y; sync -d /root/y; done");
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(800))
      << "20 and more operations at 20 a second";
}

// By the kernel's word: on which processors the guest's threads may run.
std::set<std::string> allowed(const TestFarm& farm, const std::string& guest) {
  std::set<std::string> lists;
  const std::string pid = std::to_string(farm.kernel_of(guest));
  for (const std::string& thread :
       posix::list_directory("/proc/" + pid + "/task").value_or(std::vector<std::string>())) {
    const std::string status = posix::read_file("/proc/" + pid + "/task/" + thread + "/status").value_or("");
    const std::size_t at = status.find("Cpus_allowed_list:");
    if (at != std::string::npos) lists.insert(status.substr(at, status.find('\n', at) - at));
  }
  return lists;
}

TEST(Balance, MovesABusyGuestAsAWholeAndItDoesNotNotice) {
  if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "this host has one processor";
  TestFarm farm("[guests]\nbalance_seconds = 1\n");
  for (const char* const name : {"a", "b", "c"}) farm.create(name);
  const auto processor = [&](const char* name) {
    return farm.json({"show", name}).at("processors").as_array().at(0).to_number<int>();
  };
  // Of three, two are together on a host of two.
  std::string first = "a";
  std::string second = processor("a") == processor("b") ? "b" : "c";
  if (processor("a") != processor(second.c_str())) first = "b";
  ASSERT_EQ(processor(first.c_str()), processor(second.c_str()));
  std::map<std::string, std::int64_t> started;
  for (const std::string& busy : {first, second}) {
    started[busy] = farm.number(busy, "started_ms");
    farm.in_guest(busy, "(while :; do echo x >>/run/i; done) >/dev/null 2>&1 &");
  }
  ASSERT_TRUE(eventually([&] { return processor(first.c_str()) != processor(second.c_str()); }));
  EXPECT_NE(farm.ok({"events"}).find("moved"), std::string::npos);
  for (const std::string& busy : {first, second}) {
    const auto lists = allowed(farm, busy);
    ASSERT_EQ(lists.size(), 1U) << busy << " is not on one processor as a whole";
    EXPECT_EQ(*lists.begin(), "Cpus_allowed_list:\t" + std::to_string(processor(busy.c_str())));
    EXPECT_EQ(farm.number(busy, "started_ms"), started[busy]);
    EXPECT_EQ(farm.in_guest(busy,
                            "a=$(wc -c </run/i); for n in 1 2 3 4 5 6 7 8 9; do sleep 1; "
                            "[ $(wc -c </run/i) -gt $a ] && echo goes on && break; done"),
              "goes on\n");
  }
  // The next daemon finds it where it is, not where its supervisor began.
  const int of_first = processor(first.c_str());
  const int of_second = processor(second.c_str());
  farm.kill_daemon();
  farm.configure("[guests]\nbalance_seconds = 0\n");
  farm.start_daemon();
  EXPECT_TRUE(eventually(
      [&] { return farm.field(first, "state") == "ready" && farm.field(second, "state") == "ready"; }));
  EXPECT_EQ(processor(first.c_str()), of_first);
  EXPECT_EQ(processor(second.c_str()), of_second);
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
