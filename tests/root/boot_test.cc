// From a request to a person's own server, and what survives there.
#include <signal.h>

#include "tests/support/test_farm.h"

namespace umlfarm::testing {
namespace {

TEST(Guest, IsLoggedInToOverSsh) {
  const TestFarm farm;
  farm.create("alice");
  EXPECT_EQ(farm.in_guest("alice", "hostname; id -u"), "alice\n0\n");
  EXPECT_EQ(farm.field("alice", "state"), "ready");
  // It sees the memory of its plan, less what its kernel takes.
  const int total = std::stoi(farm.in_guest("alice", "awk '/MemTotal/ { print $2 }' /proc/meminfo"));
  EXPECT_GT(total, 20 * 1024);
  EXPECT_LE(total, 32 * 1024);
  farm.ok({"delete", "alice"});
  EXPECT_EQ(farm.leftovers(), Traces());
}

TEST(Guest, IsNotLoggedInToWithAnotherHostKey) {
  const TestFarm farm;
  farm.create("alice");
  farm.create("bob");
  const std::string key = "/etc/dropbear/dropbear_ed25519_host_key";
  const std::string of_bob = farm.in_guest("bob", "base64 -w 0 " + key);
  farm.in_guest("alice", "echo " + of_bob + " | base64 -d >" + key + "; sync");
  farm.ok({"restart", "alice"});
  const Ran refused = farm.ssh("alice", "true");
  EXPECT_EQ(refused.code, 255);
  EXPECT_NE(refused.err.find("verification failed"), std::string::npos) << refused.err;
  EXPECT_EQ(farm.in_guest("bob", "hostname"), "bob\n");
}

TEST(Guest, HasTheAddressThatTheFarmShows) {
  const TestFarm farm;
  farm.create("alice");
  const std::string addresses = farm.in_guest("alice", "ip addr show dev vec0");
  EXPECT_NE(addresses.find(farm.field("alice", "address4") + "/"), std::string::npos) << addresses;
  EXPECT_NE(addresses.find(farm.field("alice", "address6") + "/"), std::string::npos) << addresses;
  EXPECT_NE(addresses.find(farm.field("alice", "mac")), std::string::npos) << addresses;
}

TEST(Guest, KeepsFilesOverStopAndStart) {
  const TestFarm farm;
  farm.create("alice");
  farm.in_guest("alice", "echo precious >/root/file; sync");
  const std::string key = farm.field("alice", "host_key");
  farm.ok({"stop", "alice"});
  EXPECT_EQ(farm.field("alice", "state"), "stopped");
  EXPECT_EQ(processes_of(farm.first_uid(), TestFarm::kUids), Traces());
  farm.ok({"start", "alice"});
  EXPECT_EQ(farm.in_guest("alice", "cat /root/file"), "precious\n");
  EXPECT_EQ(farm.field("alice", "host_key"), key);
}

TEST(Guest, KeepsWhatWasSyncedOverTheDeathOfItsKernel) {
  const TestFarm farm;
  farm.create("alice");
  farm.in_guest("alice", "echo precious >/root/file; sync");
  const std::int64_t started = farm.number("alice", "started_ms");
  ASSERT_EQ(::kill(farm.kernel_of("alice"), SIGKILL), 0);
  // It comes back by itself.
  ASSERT_TRUE(eventually([&] { return farm.is_ready_again("alice", started); }));
  EXPECT_EQ(farm.in_guest("alice", "cat /root/file"), "precious\n");
  EXPECT_EQ(farm.number("alice", "restarts"), 1);
}

TEST(Guest, StaysOffWhenItsOwnerSwitchedItOff) {
  const TestFarm farm;
  farm.create("alice");
  farm.ssh("alice", "poweroff");
  ASSERT_TRUE(eventually([&] { return farm.field("alice", "state") == "stopped"; }));
  EXPECT_NE(farm.field("alice", "reason").find("powered_off"), std::string::npos);
  farm.ok({"start", "alice"});
  EXPECT_EQ(farm.field("alice", "state"), "ready");
}

TEST(Guest, ComesUpAgainWhenItReboots) {
  const TestFarm farm;
  farm.create("alice");
  const std::int64_t started = farm.number("alice", "started_ms");
  farm.ssh("alice", "reboot");
  EXPECT_TRUE(eventually([&] { return farm.is_ready_again("alice", started); }));
  EXPECT_EQ(farm.number("alice", "restarts"), 0);
}

TEST(Guest, HasTheSwapOfItsPlan) {
  const TestFarm farm("[[plan]]\nname = 'swapping'\nmemory = '32M'\ndisk = '1G'\nswap = '64M'\n");
  farm.create("alice", {"--plan", "swapping"});
  const int swap = std::stoi(farm.in_guest("alice", "awk '/SwapTotal/ { print $2 }' /proc/meminfo"));
  EXPECT_NEAR(swap, 64 * 1024, 64);
}

TEST(Guest, ReadsAnExtraDiskAndNeverWritesIt) {
  const TestFarm farm;
  const std::string file = farm / "data.tar";
  run_program({"tar", "-C", farm / "etc", "-cf", file, "umlfarm"});
  const auto before = posix::read_file(file).value();
  farm.create("alice", {"--disk", file + ":ro"});
  EXPECT_NE(farm.in_guest("alice", "tar -tf /dev/ubdd").find("umlfarm/umlfarm.toml"), std::string::npos);
  EXPECT_NE(farm.ssh("alice", "dd if=/dev/zero of=/dev/ubdd bs=512 count=1 conv=fsync").code, 0);
  EXPECT_EQ(posix::read_file(file).value(), before);
}

// Debian's own, for comparison. It is dynamic, and knows no tap that is handed to it: the console is the way
// in.
TEST(Guest, BootsDebiansUserModeLinux) {
  const TestFarm farm("[guests]\ndefault_plan = 'tiny'\n" + plan_of("tiny", "") +
                      plan_of("compare", "durable_disks = false\ntap_offload = false"));
  farm.ok({"kernel", "add", "/usr/bin/linux.uml", "--name", "debian"});
  // Without being asked for it, no guest gets a disk that loses what it has synced.
  const Ran refused = farm.umlfarm(farm.create_arguments("alice", {"--kernel", "debian"}));
  EXPECT_EQ(refused.code, exit_code(Kind::Invalid)) << refused.err;
  for (const char* lacks : {"'debian'", "'tiny'", "durable_disks", "tap_offload"})
    EXPECT_NE(refused.err.find(lacks), std::string::npos) << refused.err;
  EXPECT_TRUE(farm.json({"list"}).at("guests").as_array().empty());
  farm.create("alice", {"--kernel", "debian", "--plan", "compare"});
  EXPECT_EQ(farm.field("alice", "state"), "ready");
  EXPECT_NE(farm.ok({"mconsole", "alice", "version"}).find("Linux alice 6.1."), std::string::npos);
  farm.ok({"stop", "alice"});
  EXPECT_EQ(farm.field("alice", "reason").find("killed"), std::string::npos) << farm.field("alice", "reason");
}

TEST(Guest, AnswersItsManagementConsole) {
  const TestFarm farm;
  farm.create("alice");
  EXPECT_NE(farm.ok({"mconsole", "alice", "version"}).find("6.12"), std::string::npos);
}

}  // namespace
}  // namespace umlfarm::testing
