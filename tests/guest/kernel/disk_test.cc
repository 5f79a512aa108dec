// What our patches to the guest's block driver are for.
#include <fcntl.h>
#include <signal.h>

#include <fstream>
#include <sstream>

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
  // Of a disk of 1 GiB or less the bitmap ends before this, and data begins after it.
  constexpr long kBitmapEnds = 4136 + (1L << 30) / 512 / 8 + 4096;
  std::string order;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("root.cow>") == std::string::npos) continue;
    const std::size_t comma = line.rfind(", ", line.find(") = "));
    const bool sync = line.find("fdatasync") != std::string::npos;
    const char kind = sync ? 's' : std::stol(line.substr(comma + 2)) < kBitmapEnds ? 'b' : 'd';
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

TEST_P(Disk, ReadsOnAfterASegmentThatIsPartlyItsOwn) {
  EXPECT_EQ(said_in_the_guest("scattered /lib/x86_64-linux-gnu/libc.so.6"), "the same\n");
}

}  // namespace
}  // namespace umlfarm::testing
