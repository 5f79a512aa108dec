// What breaks is said, typed, and leaves nothing behind.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <fstream>

#include "tests/support/test_farm.h"

namespace umlfarm::testing {
namespace {

// Mounted over a directory of the farm's until the test ends: a disk that is as good as full.
class SmallDisk {
 public:
  SmallDisk(const std::string& directory, const char* size) : directory_(directory) {
    EXPECT_EQ(::mount("full", directory.c_str(), "tmpfs", 0, size), 0);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() { EXPECT_EQ(::umount2(directory_.c_str(), MNT_DETACH), 0); }

 private:
  std::string directory_;
};

// An image named `name` of what is in `tree`, in a directory of its own.
std::string make_image(const TestFarm& farm, const std::string& name, const std::string& tree) {
  const std::string directory = farm / name;
  EXPECT_TRUE(posix::make_directories(directory, 0755));
  const Ran made = run_program({"mke2fs", "-q", "-t", "ext4", "-d", tree, directory + "/root.img", "32M"});
  EXPECT_EQ(made.code, 0) << made.err;
  std::ofstream(directory + "/manifest.json") << R"({"name": ")" << name << R"(", "release": "0"})";
  return directory;
}

std::vector<std::string> create(const TestFarm& farm, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments{"create", "alice", "--plan", "tiny", "--ssh-key", farm.public_key()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

void expect_deletable(const TestFarm& farm) {
  farm.ok({"delete", "alice"});
  EXPECT_EQ(farm.leftovers(), Traces());
}

TEST(Fault, AKernelThatExitsAtOnceFailsItsGuest) {
  const TestFarm farm("[guests]\nrestarts = 1\n");
  farm.add_kernel("/bin/busybox", "no-kernel");
  const Ran ran = farm.umlfarm(create(farm, {"--image", "tiny", "--kernel", "no-kernel"}));
  EXPECT_EQ(ran.code, 8) << ran.err;
  EXPECT_NE(ran.err.find("the kernel exited with"), std::string::npos) << ran.err;
  EXPECT_EQ(farm.field("alice", "state"), "failed");
  EXPECT_EQ(farm.number("alice", "restarts"), 2);
  expect_deletable(farm);
}

TEST(Fault, AKernelThatPanicsFailsItsGuest) {
  const TestFarm farm("[guests]\nrestarts = 1\n");
  farm.ok({"image", "add", make_image(farm, "no-init", farm / "etc")});
  const Ran ran = farm.umlfarm(create(farm, {"--image", "no-init"}));
  EXPECT_EQ(ran.code, 8) << ran.err;
  EXPECT_NE(ran.err.find("panicked"), std::string::npos) << ran.err;
  EXPECT_NE(farm.ok({"logs", "alice"}).find("No working init found"), std::string::npos);
  expect_deletable(farm);
}

TEST(Fault, AGuestThatIsNeverReadyIsUnhealthyAndStops) {
  const TestFarm farm("[guests]\nready_seconds = 1\n");
  const std::string tree = farm / "tree";
  for (const char* directory : {"bin", "sbin", "dev", "proc"}) {
    EXPECT_TRUE(posix::make_directories(tree + "/" + directory, 0755));
  }
  run_program({"cp", "/bin/busybox", tree + "/bin/busybox"});
  EXPECT_EQ(::symlink("/bin/busybox", (tree + "/sbin/init").c_str()), 0);
  farm.ok({"image", "add", make_image(farm, "silent", tree)});
  const Ran ran = farm.umlfarm(create(farm, {"--image", "silent", "--timeout", "2"}));
  EXPECT_EQ(ran.code, 9) << ran.err;
  EXPECT_EQ(farm.field("alice", "state"), "unhealthy");
  EXPECT_NE(farm.field("alice", "reason").find("not ready after 1 seconds"), std::string::npos);
  farm.ok({"stop", "alice", "--timeout", "0"});
  EXPECT_EQ(farm.field("alice", "state"), "stopped");
  expect_deletable(farm);
}

TEST(Fault, AChangedBaseImageIsNeverBooted) {
  const TestFarm farm;
  farm.create("alice");
  farm.ok({"stop", "alice"});
  const std::string image = farm.state("images/" + farm.field("alice", "image_digest") + "/root.img");
  ASSERT_EQ(::chmod(image.c_str(), 0644), 0);
  {
    std::fstream file(image, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(0).put('x');
  }
  // What names it counts in seconds.
  run_program({"touch", "-d", "1 minute ago", image});
  const Ran ran = farm.umlfarm({"start", "alice"});
  EXPECT_EQ(ran.code, 8) << ran.err;
  EXPECT_NE(ran.err.find("its base was modified"), std::string::npos) << ran.err;
  EXPECT_EQ(farm.field("alice", "state"), "failed");
  EXPECT_EQ(farm.umlfarm({"image", "verify", "tiny"}).code, 5);
  EXPECT_EQ(processes_of(farm.first_uid(), TestFarm::kUids), Traces());
  expect_deletable(farm);
}

TEST(Fault, AFullDiskIsSaidAndTheGuestComesUpOnceThereIsRoom) {
  const TestFarm farm;
  {
    const SmallDisk full(farm.state("guests"), "size=8k");
    farm.ok(create(farm, {"--image", "tiny", "--no-wait"}));
    EXPECT_TRUE(eventually([&] {
      return farm.field("alice", "reason").find("No space left on device") != std::string::npos;
    })) << farm.field("alice", "reason");
    EXPECT_EQ(farm.field("alice", "state"), "creating");
  }
  EXPECT_TRUE(eventually([&] { return farm.field("alice", "state") == "ready"; }));
  expect_deletable(farm);
}

TEST(Fault, AFullDiskTakesInNoImage) {
  const TestFarm farm("", false);
  {
    const SmallDisk full(farm.state("images"), "size=64k");
    const Ran ran = farm.umlfarm({"image", "add", built_image("tiny")});
    EXPECT_NE(ran.code, 0);
    EXPECT_NE(ran.err.find("No space left on device"), std::string::npos) << ran.err;
    EXPECT_EQ(files_below(farm.state("images")), Traces());
  }
  EXPECT_TRUE(farm.json({"image", "list"}).at("images").as_array().empty());
}

TEST(Fault, AJailThatCannotBeMadeIsTriedAgain) {
  const TestFarm farm;
  std::ofstream(farm.run("jails/g1")) << "in the way";
  farm.ok(create(farm, {"--image", "tiny", "--no-wait"}));
  EXPECT_TRUE(eventually([&] { return !farm.field("alice", "reason").empty(); }));
  run_program({"rm", "-f", farm.run("jails/g1")});
  EXPECT_TRUE(eventually([&] { return farm.field("alice", "state") == "ready"; }));
  expect_deletable(farm);
}

// The kernel itself would boot without it, and say nothing.
TEST(Fault, AFileThatTheGuestMayNotOpenIsAFailureThatNamesIt) {
  const TestFarm farm("[guests]\nrestarts = 0\n");
  farm.create("alice");
  farm.ok({"stop", "alice"});
  const std::string seed = farm.state("guests/" + farm.id("alice") + "/seed.tar");
  ASSERT_EQ(::chmod(seed.c_str(), 0400), 0);
  const Ran ran = farm.umlfarm({"start", "alice"});
  EXPECT_EQ(ran.code, 8) << ran.err;
  EXPECT_NE(ran.err.find(seed), std::string::npos) << ran.err;
  ASSERT_EQ(::chmod(seed.c_str(), 0440), 0);
  farm.ok({"start", "alice"});
  expect_deletable(farm);
}

TEST(Fault, ASwapDiskThatItsGuestMadeLargerIsAsBeforeAtTheNextStart) {
  const TestFarm farm("[[plan]]\nname = 'swapping'\nmemory = '32M'\ndisk = '1G'\nswap = '16M'\n");
  farm.create("alice", {"--plan", "swapping"});
  farm.ok({"stop", "alice"});
  const std::string swap = farm.state("guests/" + farm.id("alice") + "/swap.img");
  ASSERT_EQ(::truncate(swap.c_str(), 64 << 20), 0);
  farm.ok({"start", "alice"});
  EXPECT_EQ(posix::stat(swap)->st_size, 16 << 20);
  EXPECT_NEAR(std::stoi(farm.in_guest("alice", "awk '/SwapTotal/ { print $2 }' /proc/meminfo")), 16 * 1024,
              64);
}

TEST(Fault, AnExhaustedAddressPoolRefuses) {
  const TestFarm farm("[network]\npool4 = '10.78.0.0/29'\npool6 = ''\n");
  farm.create("lab", {"--count", "5", "--no-wait"});
  const Ran ran = farm.umlfarm(create(farm, {"--image", "tiny"}));
  EXPECT_EQ(ran.code, 6);
  EXPECT_NE(ran.err.find("address pool exhausted: 1 asked, 0 of 5 left"), std::string::npos) << ran.err;
  EXPECT_EQ(farm.json({"list"}).at("guests").as_array().size(), 5U);
}

TEST(Fault, MemoryThatTheHostDoesNotHaveIsRefused) {
  const TestFarm farm("[capacity]\nmemory_percent = 1\n");
  const Ran ran = farm.umlfarm(create(farm, {"--image", "tiny", "--memory", "8G"}));
  EXPECT_EQ(ran.code, 6);
  EXPECT_NE(ran.err.find("memory"), std::string::npos) << ran.err;
  EXPECT_EQ(farm.leftovers(), Traces());
}

TEST(Fault, AnImageInUseStays) {
  const TestFarm farm;
  farm.create("alice");
  const Ran ran = farm.umlfarm({"image", "remove", "tiny"});
  EXPECT_EQ(ran.code, 5);
  EXPECT_NE(ran.err.find("used by guest 'alice'"), std::string::npos) << ran.err;
  farm.ok({"delete", "alice"});
  farm.ok({"image", "remove", "tiny"});
  EXPECT_EQ(files_below(farm.state("images")), Traces());
}

}  // namespace
}  // namespace umlfarm::testing
