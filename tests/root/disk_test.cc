// A guest's disk: it grows while it is written to, waits for a host that is full, and takes no more of the
// host than it was promised.
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <boost/json.hpp>

#include "guest/disk/cow.h"
#include "provisioner/base/posix.h"
#include "tests/support/result_matchers.h"
#include "tests/support/test_farm.h"

namespace umlfarm::testing {
namespace {

constexpr std::int64_t kMiB = 1 << 20;

// Writes file after file of random content below /root/load, each with its sum, until /root/stop is there.
constexpr const char* kLoad =
    "mkdir -p /root/load; cat >/root/writer <<'END'\n"
    "i=0; while [ ! -e /root/stop ]; do i=$((i + 1)); "
    "dd if=/dev/urandom of=/root/load/$i bs=64k count=$((i % 30 + 1)) 2>/dev/null; "
    "md5sum /root/load/$i >>/root/sums; [ $((i % 5)) != 0 ] || sync; done; touch /root/stopped\n"
    "END\n"
    "setsid sh /root/writer >/dev/null 2>&1 </dev/null &";

std::string blocks(const TestFarm& farm, const std::string& guest) {
  return farm.in_guest(guest, "awk '$4 == \"ubda\" { print $3 }' /proc/partitions");
}

// KiB of the root file system.
std::int64_t filesystem(const TestFarm& farm, const std::string& guest) {
  return std::stoll(farm.in_guest(guest, "df -k / | awk 'END { print $2 }'"));
}

void expect_all_sums(const TestFarm& farm, const std::string& guest) {
  farm.in_guest(guest, "sync; echo 3 >/proc/sys/vm/drop_caches");
  EXPECT_EQ(
      farm.in_guest(guest,
                    "md5sum -c /root/sums 2>&1 | grep -v ': OK$'; wc -l </root/sums >/dev/null; echo sums"),
      "sums\n");
}

void expect_sound(const TestFarm& farm, const std::string& guest) {
  const std::string log = farm.ok({"logs", guest});
  for (const char* bad : {"EXT4-fs error", "I/O error", "critical", "remounted read-only"})
    EXPECT_EQ(log.find(bad), std::string::npos) << log;
  farm.ok({"stop", guest});
  const std::string cow = farm.state("guests/" + farm.id(guest) + "/disk.cow");
  const auto info = guest::inspect_cow(cow);
  ASSERT_THAT(info, is_ok());
  const std::string digest = farm.field(guest, "image_digest");
  ASSERT_THAT(guest::merge_cow(cow, farm / "merged.img",
                               {farm.state("images/" + digest + "/root.img"), info->base_path}),
              is_ok());
  const Ran check = run_program({"e2fsck", "-fn", farm / "merged.img"});
  EXPECT_EQ(check.code, 0) << check.out;
  ASSERT_THAT(posix::remove_file(farm / "merged.img"), is_ok());
  farm.ok({"start", guest});
}

TEST(DiskGrowth, LosesNothingOfWhatIsWrittenMeanwhile) {
  const TestFarm farm;
  farm.create("alice");
  EXPECT_EQ(farm.number("alice", "disk"), 1024 * kMiB);
  EXPECT_TRUE(eventually([&] { return filesystem(farm, "alice") > 900 << 10; }))
      << "as large as its plan says";
  farm.in_guest("alice", kLoad);
  std::int64_t before = filesystem(farm, "alice");
  for (const int gib : {2, 8}) {
    EXPECT_TRUE(
        eventually([&] { return std::stoi(farm.in_guest("alice", "ls /root/load | wc -l")) > 5 * gib; }));
    farm.ok({"set", "alice", "--disk", std::to_string(gib) + "G"});
    EXPECT_EQ(blocks(farm, "alice"), std::to_string(gib << 20) + "\n");
    EXPECT_TRUE(eventually([&] { return filesystem(farm, "alice") > before + (800 << 10); })) << gib;
    before = filesystem(farm, "alice");
  }
  // More than it had at first, beyond what it had then.
  farm.in_guest(
      "alice",
      "dd if=/dev/urandom of=/root/large bs=1M count=1100 2>/dev/null; md5sum /root/large >>/root/sums");
  farm.in_guest("alice", "touch /root/stop");
  EXPECT_TRUE(eventually([&] { return farm.ssh("alice", "test -e /root/stopped").code == 0; }));
  expect_all_sums(farm, "alice");
  expect_sound(farm, "alice");
  expect_all_sums(farm, "alice");
  EXPECT_EQ(farm.number("alice", "disk"), 8192 * kMiB);
}

TEST(DiskGrowth, BeginsWithWhatWasAskedWhenTheGuestWasMade) {
  const TestFarm farm;
  const Ran small = farm.umlfarm(farm.create_arguments("alice", {"--disk-size", "100M"}));
  EXPECT_EQ(small.code, 6) << small.err;
  EXPECT_NE(small.err.find("would have 100 MiB"), std::string::npos) << small.err;
  farm.create("alice", {"--disk-size", "2G"});
  EXPECT_EQ(farm.number("alice", "disk"), 2048 * kMiB);
  EXPECT_EQ(blocks(farm, "alice"), "2097152\n");
  EXPECT_TRUE(eventually([&] { return filesystem(farm, "alice") > 1900 << 10; }));
  farm.ok({"set", "alice", "--disk", "3G"});
  EXPECT_TRUE(eventually([&] { return filesystem(farm, "alice") > 2900 << 10; }));
  expect_sound(farm, "alice");
}

TEST(DiskGrowth, IsRefusedWhereItCanNotBe) {
  const TestFarm farm;
  farm.create("alice");
  const auto refused = [&](const char* size) {
    const Ran ran = farm.umlfarm({"set", "alice", "--disk", size});
    EXPECT_NE(ran.code, 0) << size;
    return ran.err;
  };
  EXPECT_NE(refused("512M").find("a disk only grows"), std::string::npos);
  EXPECT_NE(refused("17G").find("16 GiB"), std::string::npos) << "16 times what it was made with";
  EXPECT_NE(refused("1073742000").find("512"), std::string::npos);
  farm.ok({"tenant", "create", "lab", "--disk", "2G"});
  farm.create("bob", {"--tenant", "lab"});
  const Ran beyond = farm.umlfarm({"set", "bob", "--disk", "3G"});
  EXPECT_NE(beyond.code, 0);
  EXPECT_NE(beyond.err.find("lab"), std::string::npos) << beyond.err;
  for (const char* name : {"alice", "bob"}) {
    EXPECT_EQ(farm.number(name, "disk"), 1024 * kMiB);
    EXPECT_EQ(blocks(farm, name), "1048576\n");
  }
}

TEST(DiskGrowth, IsFinishedByTheNextDaemon) {
  TestFarm farm;
  farm.create("alice");
  const std::int64_t started = farm.number("alice", "started_ms");
  farm.kill_daemon();
  farm.start_daemon("grow-disk:before");
  EXPECT_NE(farm.umlfarm({"set", "alice", "--disk", "2G"}).code, 0);
  ASSERT_TRUE(farm.daemon_died());
  farm.start_daemon();
  EXPECT_EQ(farm.number("alice", "disk"), 2048 * kMiB) << "it was promised";
  EXPECT_TRUE(eventually([&] { return blocks(farm, "alice") == "2097152\n"; }));
  EXPECT_EQ(farm.number("alice", "started_ms"), started);
}

TEST(DiskGrowth, OfAStoppedGuestIsThereWhenItStarts) {
  const TestFarm farm(
      "[[plan]]\nname = 'wide'\nmemory = '64M'\ndisk = '4G'\n[[plan]]\nname = 'tiny'\nmemory = '32M'\ndisk = "
      "'1G'\n");
  farm.create("alice");
  farm.ok({"stop", "alice"});
  farm.ok({"set", "alice", "--disk", "2G"});
  farm.ok({"set", "alice", "--plan", "wide"});
  farm.ok({"start", "alice"});
  EXPECT_EQ(blocks(farm, "alice"), "4194304\n");
  // A smaller plan leaves the disk as it is.
  farm.ok({"set", "alice", "--plan", "tiny"});
  EXPECT_EQ(farm.number("alice", "disk"), 4096 * kMiB);
}

// The guests' files on a filesystem of their own, which is in a file. The farm's daemon must not run.
class OnItsOwn {
 public:
  OnItsOwn(const TestFarm& farm, const std::string& make, const std::string& size)
      : at_(farm.state("guests")) {
    const std::string file = farm / "filesystem.img";
    EXPECT_EQ(run_program({"truncate", "-s", size, file}).code, 0);
    EXPECT_EQ(run_program({make, "-q", file}).code, 0);
    const Ran mounted = run_program({"mount", "-o", "loop", file, at_});
    EXPECT_EQ(mounted.code, 0) << mounted.err;
  }
  OnItsOwn(const OnItsOwn&) = delete;
  OnItsOwn& operator=(const OnItsOwn&) = delete;
  ~OnItsOwn() { EXPECT_EQ(::umount2(at_.c_str(), MNT_DETACH), 0); }

 private:
  std::string at_;
};

bool has_event(const TestFarm& farm, const std::string& kind) {
  return farm.ok({"events", "--guest", "alice"}).find(" " + kind + " ") != std::string::npos;
}

TEST(FullHost, IsWaitedForAndNothingIsLost) {
  TestFarm farm;
  farm.kill_daemon();
  const OnItsOwn small(farm, "mkfs.ext4", "600M");
  const std::string others = farm.state("guests") + "/of-others";
  farm.start_daemon();
  farm.create("alice");
  // But for what ext4 keeps for root, which the farm's own records need.
  struct statvfs room {};
  ASSERT_EQ(::statvfs(farm.state("guests").c_str(), &room), 0);
  const std::uint64_t taken = room.f_bavail * room.f_frsize - 40 * kMiB;
  ASSERT_EQ(run_program({"fallocate", "-l", std::to_string(taken), others}).code, 0);
  farm.in_guest(
      "alice",
      "echo 'dd if=/dev/urandom of=/root/x bs=1M count=100; sync; md5sum /root/x >/root/sums; sync; "
      "touch /root/done' >/root/fill; setsid sh /root/fill >/dev/null 2>&1 </dev/null &");
  EXPECT_TRUE(
      eventually([&] { return farm.field("alice", "reason") == "waits for room on the host's disk"; }));
  EXPECT_TRUE(eventually([&] { return has_event(farm, "disk-waits"); }));
  EXPECT_EQ(farm.field("alice", "state"), "ready");
  EXPECT_FALSE(has_event(farm, "disk-goes-on"));
  EXPECT_NE(farm.ok({"mconsole", "alice", "version"}), "");
  // Promised now, and given when there is room.
  const Ran grown = farm.umlfarm({"set", "alice", "--disk", "2G"});
  EXPECT_NE(grown.code, 0);
  EXPECT_NE(grown.err.find("tried again"), std::string::npos) << grown.err;
  EXPECT_NE(farm.ok({"mconsole", "alice", "version"}), "");
  EXPECT_EQ(farm.field("alice", "state"), "ready");
  ASSERT_THAT(posix::remove_file(others), is_ok());
  EXPECT_TRUE(eventually([&] { return farm.ssh("alice", "test -e /root/done").code == 0; }));
  EXPECT_TRUE(eventually([&] { return has_event(farm, "disk-goes-on"); }));
  EXPECT_EQ(farm.field("alice", "reason"), "");
  EXPECT_TRUE(eventually([&] { return blocks(farm, "alice") == "2097152\n"; }));
  expect_all_sums(farm, "alice");
  expect_sound(farm, "alice");
  expect_all_sums(farm, "alice");
  farm.ok({"delete", "alice"});
}

// A Btrfs of its own, in a file.
TEST(DiskQuota, OfBtrfsHoldsAGuestsFilesByAQgroup) {
  TestFarm farm;
  farm.kill_daemon();
  {
    const OnItsOwn btrfs(farm, "mkfs.btrfs", "4G");
    ASSERT_EQ(run_program({"btrfs", "quota", "enable", farm.state("guests")}).code, 0);
    farm.start_daemon();
    EXPECT_NE(farm.ok({"host", "show"}).find("quota of the disk: qgroups of Btrfs"), std::string::npos);
    farm.create("alice");
    const std::string directory = farm.state("guests/" + farm.id("alice"));
    // Whatever becomes of the guest's kernel, it has no other hold of the host's disk than this.
    const auto fill = [&](const char* as) {
      return run_program({"setpriv", "--reuid", as, "--clear-groups", "dd", "if=/dev/zero",
                          "of=" + directory + "/disk.cow", "bs=1M", "conv=notrunc", "count=4000"});
    };
    farm.ok({"stop", "alice"});
    ASSERT_EQ(
        run_program({"chmod", "755", farm.root(), farm.state(""), farm.state("guests"), directory}).code, 0);
    struct stat disk {};
    ASSERT_EQ(::stat((directory + "/disk.cow").c_str(), &disk), 0);
    const Ran filled = fill(std::to_string(disk.st_uid).c_str());
    EXPECT_NE(filled.err.find("quota exceeded"), std::string::npos) << filled.err;
    const std::int64_t took = farm.number("alice", "disk_allocated");
    EXPECT_GT(took, 1024 * kMiB * 98 / 100);
    // What is promised, and what extents of 4 KiB would take beside it.
    EXPECT_LT(took, (1024 + 38 + 10) * kMiB);
    farm.ok({"delete", "alice"});
    EXPECT_TRUE(eventually([&] { return !posix::exists(directory); }));
    EXPECT_EQ(run_program({"btrfs", "subvolume", "list", farm.state("guests")}).out, "");
  }
}

}  // namespace
}  // namespace umlfarm::testing
