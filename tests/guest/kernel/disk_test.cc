// What our patches to the guest's block driver are for.
#include <fcntl.h>
#include <signal.h>

#include <fstream>
#include <sstream>

#include "guest/disk/cow.h"
#include "guest/disk/cow_header.h"
#include "provisioner/base/posix.h"
#include "tests/guest/kernel/kernel_fixture.h"
#include "tests/support/hand_guest.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::testing {
namespace {

constexpr const char* kWriteAndSync =
    "dd if=/dev/zero of=/root/file bs=4096 count=1 conv=fsync >/dev/null 2>&1; echo $?";

class Disk : public Kernel {
 protected:
  // What `words` in a shell that is init say, with these disks beside the root.
  std::string by_hand(const std::vector<std::string>& disks, const std::string& words) {
    HandStart start{built_kernel(GetParam()) + "/linux",
                    built_image("tiny") + "/root.img",
                    disks,
                    "mem=32M",
                    false,
                    true};
    const std::vector<std::string> shell = shell_as_init(words + "; poweroff -f");
    start.more.insert(start.more.end(), shell.begin(), shell.end());
    HandGuest guest(start, directory_.path());
    code_ = guest.wait_for_end();
    return guest.output();
  }

  // A file that begins with the header of a COW file.
  std::string file_with_header(const std::string& base, std::uint64_t size) const {
    const auto header = guest::make_cow_header(base, 0, size);
    EXPECT_THAT(header, is_ok());
    const auto bytes = guest::encode_cow_header(*header);
    std::string content(bytes.begin(), bytes.end());
    content.resize(1 << 16);
    std::ofstream(files_ / "disk") << content;
    return files_ / "disk";
  }

  TemporaryDirectory directory_;
  TemporaryDirectory files_;
  int code_ = -1;
};

INSTANTIATE_TEST_SUITE_P(Each, Disk, ::testing::Values("strict", "fast"),
                         [](const auto& flavour) { return flavour.param; });

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

// Data, then the bits that say where it is, each on the host's disk before what comes next.
TEST_P(Disk, SyncsDataBeforeItsBitmap) {
  create();
  const std::string log = farm_ / "strace.log";
  farm_.in_guest("alice", "sync");
  const pid_t strace = trace_the_kernel({"-e", "trace=fdatasync,pwrite64"}, log);
  EXPECT_EQ(farm_.in_guest("alice", kWriteAndSync), "0\n");
  EXPECT_TRUE(
      eventually([&] { return count(posix::read_file(log).value_or(""), "root.cow>) = 0") >= 2; }, 20));
  ::kill(strace, SIGINT);
  (void)wait_for_end(strace);
  std::istringstream lines(posix::read_file(log).value_or(""));
  const auto disk = guest::inspect_cow(farm_.state("guests/" + farm_.id("alice") + "/disk.cow"));
  ASSERT_THAT(disk, is_ok());
  std::string order;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("root.cow>") == std::string::npos) continue;
    const std::size_t comma = line.rfind(", ", line.find(") = "));
    const bool sync = line.find("fdatasync") != std::string::npos;
    const char kind = sync ? 's' : std::stoul(line.substr(comma + 2)) < disk->data_offset ? 'b' : 'd';
    if (order.empty() || order.back() != kind) order += kind;
  }
  EXPECT_NE(order.find("dsbs"), std::string::npos) << order;
  EXPECT_EQ(order.find("db"), std::string::npos) << order << ": bits before their data is on the disk";
}

TEST_P(Disk, TellsTheGuestOfAFailedSync) {
  create();
  const std::string log = farm_ / "strace.log";
  const pid_t strace = trace_the_kernel({"-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO"}, log);
  EXPECT_EQ(farm_.in_guest("alice",
                           "dd if=/dev/zero of=/dev/ubda bs=4096 count=1 seek=1000 conv=fsync "
                           ">/dev/null 2>&1; dd if=/dev/zero of=/root/file bs=4096 count=1 "
                           "conv=fsync >/dev/null 2>&1; echo $?"),
            "1\n")
      << posix::read_file(log).value_or("");
  ::kill(strace, SIGINT);
  (void)wait_for_end(strace);
}

// That is how a quota of the host's ends; EIO would make the guest think that its disk is broken.
TEST_P(Disk, TellsTheGuestOfAQuotaAsOfAFullDisk) {
  create();
  const std::string log = farm_ / "strace.log";
  farm_.in_guest("alice", "sync");
  const pid_t strace = trace_the_kernel({"-e", "trace=pwrite64", "-e", "inject=pwrite64:error=EDQUOT"}, log);
  (void)farm_.ssh("alice", kWriteAndSync);
  ::kill(strace, SIGINT);
  (void)wait_for_end(strace);
  EXPECT_NE(posix::read_file(log).value_or("").find("EDQUOT"), std::string::npos);
  const std::string console = farm_.ok({"logs", "alice"});
  EXPECT_NE(console.find("critical space allocation error, dev ubda"), std::string::npos) << console;
  EXPECT_EQ(console.find("I/O error, dev ubda"), std::string::npos) << console;
}

TEST_P(Disk, BelievesNoHeader) {
  std::ofstream(files_ / "secret") << "secret of the host";
  // Where a header is believed, its file must be as it says.
  ASSERT_EQ(run_program({"truncate", "-s", "1M", files_ / "secret"}).code, 0);
  ASSERT_EQ(run_program({"touch", "-d", "@0", files_ / "secret"}).code, 0);
  const std::string disk = file_with_header(files_ / "secret", 1 << 20);
  const std::string words =
      "mount -t sysfs s /sys; echo sectors $(cat /sys/block/ubdb/size); "
      "head -c 18 /dev/ubdb";
  for (const char* flags : {"", "d"}) {
    const TemporaryDirectory fresh;
    const std::string said = by_hand({std::string("ubd1") + flags + "=" + disk}, words);
    EXPECT_NE(said.find("sectors 128\r"), std::string::npos) << said;
    EXPECT_EQ(said.find("secret of"), std::string::npos) << said;
    ASSERT_EQ(run_program({"sh", "-c", "rm -rf " + directory_.path() + "/*"}).code, 0);
  }
}

TEST_P(Disk, IsThereAsAskedOrItsGuestDoesNotBoot) {
  const std::string disk = files_ / "disk";
  ASSERT_EQ(run_program({"truncate", "-s", "1M", disk}).code, 0);
  const std::string there = by_hand({"ubd1r=" + disk}, "echo it boots");
  EXPECT_NE(there.find("\nit boots"), std::string::npos) << there;
  const std::string locked = files_ / "locked";
  ASSERT_EQ(run_program({"truncate", "-s", "1M", locked}).code, 0);
  const UniqueFd lock(::open(locked.c_str(), O_RDWR | O_CLOEXEC));
  struct flock whole {};
  whole.l_type = F_WRLCK;
  ASSERT_EQ(::fcntl(lock.get(), F_SETLK, &whole), 0);
  const std::vector<std::string> wrong = {
      "ubd1=" + (files_ / "gone"),
      "ubd1=/sys/kernel/notes",                                // which nobody may write
      "ubd1=" + file_with_header(disk, 1 << 20) + "," + disk,  // of another base
      "ubd1=" + locked,
  };
  for (const std::string& argument : wrong) {
    ASSERT_EQ(run_program({"sh", "-c", "rm -rf " + directory_.path() + "/*"}).code, 0);
    const std::string said = by_hand({argument}, "echo it boots");
    EXPECT_NE(said.find("Kernel panic - not syncing: ubdb, "), std::string::npos) << argument << "\n" << said;
    EXPECT_EQ(said.find("\nit boots"), std::string::npos) << argument;
    EXPECT_NE(code_, 0) << argument;
  }
}

// In pieces that begin before it and end after it.
TEST_P(Disk, ReadsZeroesBeyondTheEndOfItsBase) {
  const std::string base = files_ / "base";
  const std::string cow = files_ / "cow";
  ASSERT_EQ(run_program({"sh", "-c", "head -c 1049088 /dev/urandom >" + base}).code, 0);
  ASSERT_THAT(guest::create_cow(cow, base, 0600, 0, 0, std::uint64_t{4} << 20U), is_ok());
  const Ran expected = run_program({"sh", "-c", "(cat " + base + "; head -c 3145216 /dev/zero) | md5sum"});
  const std::string said = by_hand({"ubd1=" + cow + "," + base},
                                   "mount -t sysfs s /sys; echo sectors $(cat /sys/block/ubdb/size); "
                                   "dd if=/dev/ubdb bs=384k 2>/dev/null | md5sum; "
                                   "dd if=/dev/ubdb bs=1536 2>/dev/null | md5sum");
  EXPECT_NE(said.find("sectors 8192\r"), std::string::npos) << said;
  EXPECT_EQ(count(said, expected.out.substr(0, 32)), 2U) << said;
}

TEST_P(Disk, GrowsWhileItIsWrittenTo) {
  create();
  farm_.in_guest(
      "alice",
      "echo 'while [ ! -e /root/stop ]; do dd if=/dev/urandom of=/root/x bs=64k count=40; sync; done; "
      "md5sum /root/x >/root/sum; sync; touch /root/done' >/root/load; "
      "setsid sh /root/load >/dev/null 2>&1 </dev/null &");
  // The bitmap begins to be of several pages, and of several blocks of the file.
  for (const char* size : {"1025M", "3G", "9G", "16G"}) farm_.ok({"set", "alice", "--disk", size});
  EXPECT_EQ(farm_.in_guest("alice", "awk '$4 == \"ubda\" { print $3 }' /proc/partitions"), "16777216\n");
  // Where the old bitmap had no bits.
  farm_.in_guest("alice", "dd if=/root/x of=/dev/ubda bs=64k seek=200000 conv=fsync 2>/dev/null");
  farm_.in_guest("alice", "touch /root/stop");
  EXPECT_TRUE(eventually([&] { return farm_.ssh("alice", "test -e /root/done").code == 0; }));
  EXPECT_EQ(farm_.in_guest("alice", "echo 3 >/proc/sys/vm/drop_caches; md5sum -c /root/sum 2>&1"),
            "/root/x: OK\n");
  EXPECT_NE(farm_.umlfarm({"mconsole", "alice", "config ubd1=grow"}).code, 0) << "a seed is no COW disk";
}

// Of both, reads and all else go on.
TEST_P(Disk, WaitsForRoomOnTheHost) {
  create();
  const std::string log = farm_ / "strace.log";
  farm_.in_guest("alice", "sync");
  const pid_t strace = trace_the_kernel({"-e", "trace=pwrite64", "-e", "inject=pwrite64:error=ENOSPC"}, log);
  EXPECT_EQ(farm_.in_guest(
                "alice",
                "echo 'dd if=/dev/urandom of=/root/x bs=64k count=10 conv=fsync; echo $? >/run/done' "
                ">/run/load; setsid sh /run/load >/dev/null 2>&1 </dev/null & dd if=/dev/ubda of=/dev/null "
                "bs=1M count=64 2>/dev/null; echo $?"),
            "0\n");
  EXPECT_TRUE(
      eventually([&] { return farm_.field("alice", "reason") == "waits for room on the host's disk"; }));
  ::kill(strace, SIGINT);
  (void)wait_for_end(strace);
  EXPECT_TRUE(eventually([&] { return farm_.ssh("alice", "cat /run/done").out == "0\n"; }));
  EXPECT_TRUE(eventually([&] { return farm_.field("alice", "reason").empty(); }));
  const std::string console = farm_.ok({"logs", "alice"});
  EXPECT_NE(console.find("ubda waits for room on the host"), std::string::npos) << console;
  EXPECT_NE(console.find("ubda goes on"), std::string::npos) << console;
  for (const char* bad : {"error, dev ubda", "EXT4-fs error"})
    EXPECT_EQ(console.find(bad), std::string::npos) << console;
}

// Inode tables of 256 MiB are zeroed in the background, at once when asked so.
TEST_P(Disk, ZeroesWithoutTakingRoomOnTheHost) {
  create();
  farm_.in_guest("alice", "mount -o remount,init_itable=0 /");
  farm_.ok({"set", "alice", "--disk", "16G"});
  EXPECT_TRUE(eventually(
      [&] { return std::stol(farm_.in_guest("alice", "df -k / | awk 'END { print $2 }'")) > 14L << 20; }));
  const std::string cow = farm_.state("guests/" + farm_.id("alice") + "/disk.cow");
  constexpr std::uint64_t kZeroed = std::uint64_t{200} << 20U;
  // By the bits, each of which says that the guest has written there.
  EXPECT_TRUE(eventually([&] {
    farm_.in_guest("alice", "sync");
    const auto disk = guest::inspect_cow(cow);
    return disk && disk->allocated_sectors * 512 > kZeroed;
  }));
  EXPECT_LT(farm_.number("alice", "disk_allocated"), 64 << 20);
}

TEST_P(Disk, ReadsOnAfterASegmentThatIsPartlyItsOwn) {
  EXPECT_EQ(said_in_the_guest("scattered /lib/x86_64-linux-gnu/libc.so.6"), "the same\n");
}

}  // namespace
}  // namespace umlfarm::testing
