#include "guest/disk/cow.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "provisioner/base/atomic_file.h"
#include "tests/guest/disk/disk_fixture.h"

namespace umlfarm::guest {
namespace {

using testing::is_error;
using testing::is_ok;

// No file of this process may pass `bytes` while the object lives: writing fails with EFBIG.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    before_signal_ = ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, before_signal_);
  }

 private:
  rlimit before_{};
  sighandler_t before_signal_;
};

class Cow : public DiskTest {
 protected:
  void SetUp() override {
    base_ = make_base();
    cow_ = directory_ / "disk.cow";
    ASSERT_THAT(create(cow_, base_), is_ok());
  }

  std::string base_;
  std::string cow_;
};

TEST_F(Cow, IsSparseAndHasTheModeGiven) {
  struct stat info {};
  ASSERT_EQ(::stat(cow_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0640U);
  EXPECT_EQ(info.st_nlink, 1U);
  const auto cow = inspect_cow(cow_);
  ASSERT_THAT(cow, is_ok());
  EXPECT_EQ(static_cast<std::uint64_t>(info.st_size), cow->data_offset + kBaseSize);
  EXPECT_LE(cow->host_bytes, 16384U);
  EXPECT_EQ(cow->alignment, 4096U);
  EXPECT_EQ(cow->sector_size, 512U);
}

TEST_F(Cow, IsNeverOverwritten) {
  write_sector(cow_, 3, 9);
  EXPECT_THAT(create(cow_, base_), is_error(Kind::Conflict, "disk.cow"));
  EXPECT_EQ(inspect_cow(cow_)->allocated_sectors, 1U);
  ASSERT_EQ(::symlink("nowhere", (directory_ / "link.cow").c_str()), 0);
  EXPECT_THAT(create(directory_ / "link.cow", base_), is_error(Kind::Conflict, "link.cow"));
}

TEST_F(Cow, CountsTheSectorsThatDiffer) {
  for (const std::uint64_t sector : {0U, 8U, 9U, 6144U}) write_sector(cow_, sector, 1);
  EXPECT_EQ(inspect_cow(cow_)->allocated_sectors, 4U);
  const auto info = inspect_cow(cow_);
  // Bits past the last sector mean nothing.
  overwrite(cow_, static_cast<std::int64_t>(info->bitmap_offset + 6144 / 8), {0xff});
  EXPECT_EQ(inspect_cow(cow_)->allocated_sectors, 4U);
}

TEST_F(Cow, RefusesBasesThatUmlCannotUse) {
  const std::string fresh = directory_ / "fresh.cow";
  EXPECT_THAT(create(fresh, cow_), is_error(Kind::Invalid, "one level"));
  EXPECT_THAT(create(fresh, directory_.path()), is_error(Kind::Invalid, "regular file"));
  EXPECT_THAT(create(fresh, directory_ / "missing"), is_error(Kind::NotFound, "missing"));
  EXPECT_THAT(create(fresh, make_base("odd.img", 100000)), is_error(Kind::Invalid, "multiple of 512"));
  EXPECT_THAT(create(fresh, make_base("empty.img", 0)), is_error(Kind::Invalid, "multiple of 512"));
  EXPECT_THAT(create(fresh, make_base("tiny.img", 32768)), is_error(Kind::Invalid, "32 KiB"));
  ASSERT_EQ(::mkfifo((directory_ / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(create(fresh, directory_ / "pipe"), is_error(Kind::Invalid, "regular file"));
  EXPECT_FALSE(posix::exists(fresh));
}

TEST_F(Cow, RefusesABaseOf8TiB) {
  const std::string huge = directory_ / "huge.img";
  const UniqueFd fd(::open(huge.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (::ftruncate(fd.get(), off_t{1} << 43U) != 0) GTEST_SKIP() << "no files of 8 TiB here";
  EXPECT_THAT(create(directory_ / "fresh.cow", huge), is_error(Kind::Invalid, "8 TiB"));
}

TEST_F(Cow, LeavesNothingWhenTheFileCannotGrow) {
  const auto before = names();
  {
    const FileSizeLimit limit(1U << 20U);
    EXPECT_FALSE(create(directory_ / "fresh.cow", base_));
    EXPECT_FALSE(merge_cow(cow_, directory_ / "out.img"));
  }
  EXPECT_EQ(names(), before);
}

// Makes the caller root of a user namespace of its own; false where that is not allowed.
bool enter_user_namespace() {
  const std::string uid_map = "0 " + std::to_string(::getuid()) + " 1";
  const std::string gid_map = "0 " + std::to_string(::getgid()) + " 1";
  return ::unshare(CLONE_NEWUSER) == 0 && posix::write_existing("/proc/self/uid_map", uid_map) &&
         posix::write_existing("/proc/self/setgroups", "deny") &&
         posix::write_existing("/proc/self/gid_map", gid_map);
}

// Runs `body` in a child that has mounted a tmpfs of one MiB at `path` for itself alone. Gives the child's
// exit code: 0 for true, 1 for false, 77 where mounting is not allowed.
template <typename Body>
int on_small_disk(const std::string& path, Body body) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::getuid() != 0 && !enter_user_namespace()) ::_exit(77);
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", path.c_str(), "tmpfs", 0, "size=1m") != 0) {
      ::_exit(77);
    }
    ::_exit(body() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(Cow, MergeToAFullDiskIsAQuotaErrorAndLeavesNothing) {
  const std::string disk = directory_ / "small";
  ASSERT_EQ(::mkdir(disk.c_str(), 0755), 0);
  const int outcome = on_small_disk(disk, [&] {
    const auto merged = merge_cow(cow_, disk + "/out.img");
    const auto left = posix::list_directory(disk);
    return !merged && merged.error().kind() == Kind::QuotaExceeded && left && left->empty();
  });
  if (outcome == 77) GTEST_SKIP() << "mounting is not allowed here";
  EXPECT_EQ(outcome, 0);
}

TEST_F(Cow, LeavesNothingWhenTheOwnerCannotBeSet) {
  if (::getuid() == 0) GTEST_SKIP() << "root may give files to anyone";
  const auto before = names();
  EXPECT_THAT(create_cow(directory_ / "fresh.cow", base_, 0600, 0, 0), is_error(Kind::Denied, "owner"));
  EXPECT_EQ(names(), before);
}

TEST_F(Cow, VerifiesItsOwnBaseOnly) {
  EXPECT_THAT(verify_cow(cow_, base_), is_ok());
  const std::string other = make_base("other.img");
  EXPECT_THAT(verify_cow(cow_, other), is_error(Kind::Conflict, "rebase"));
  const auto recorded = inspect_cow(cow_)->base_mtime;
  set_mtime(base_, recorded + 1);
  EXPECT_THAT(verify_cow(cow_, base_), is_error(Kind::Conflict, "modified"));
  ASSERT_EQ(::truncate(base_.c_str(), static_cast<off_t>(kBaseSize + 512)), 0);
  set_mtime(base_, recorded);
  EXPECT_THAT(verify_cow(cow_, base_), is_error(Kind::Conflict, "3146752"));
}

TEST_F(Cow, RecordsWhereTheJailWillShowTheBase) {
  const std::string jailed = directory_ / "jailed.cow";
  const CowBase base(base_, "/disks/root.img");
  ASSERT_THAT(create(jailed, base), is_ok());
  EXPECT_EQ(inspect_cow(jailed)->base_path, "/disks/root.img");
  EXPECT_THAT(verify_cow(jailed, base), is_ok());
  EXPECT_THAT(verify_cow(jailed, base_), is_error(Kind::Conflict, "/disks/root.img"));
  write_sector(jailed, 5, 0xaa);
  ASSERT_THAT(merge_cow(jailed, directory_ / "out.img", base), is_ok());
  EXPECT_EQ(content(directory_ / "out.img").substr(5 * 512, 512), std::string(512, '\xaa'));
}

TEST_F(Cow, RefusesAFileThatIsCutShort) {
  ASSERT_EQ(::truncate(cow_.c_str(), 16384), 0);
  EXPECT_THAT(inspect_cow(cow_), is_error(Kind::Invalid, "cut short"));
  EXPECT_THAT(verify_cow(cow_, base_), is_error(Kind::Invalid, "cut short"));
  EXPECT_THAT(merge_cow(cow_, directory_ / "out.img"), is_error(Kind::Invalid, "cut short"));
  EXPECT_THAT(rebase_cow(cow_, base_), is_error(Kind::Invalid, "cut short"));
  ASSERT_EQ(::truncate(cow_.c_str(), 3), 0);
  EXPECT_THAT(inspect_cow(cow_), is_error(Kind::Invalid, "not a COW file"));
  EXPECT_THAT(inspect_cow(base_), is_error(Kind::Invalid, "not a COW file"));
}

TEST_F(Cow, DoesNotFollowALinkInPlaceOfTheDisk) {
  ASSERT_EQ(::symlink("disk.cow", (directory_ / "link.cow").c_str()), 0);
  EXPECT_FALSE(inspect_cow(directory_ / "link.cow"));
  EXPECT_FALSE(rebase_cow(directory_ / "link.cow", base_));
}

TEST_F(Cow, MergesSparselyAndNeverOverAFile) {
  write_sector(cow_, 0, 0x11);
  for (std::uint64_t sector = 8; sector < 16; ++sector) write_sector(cow_, sector, 0);
  const std::string out = directory_ / "out.img";
  ASSERT_THAT(merge_cow(cow_, out), is_ok());
  struct stat info {};
  ASSERT_EQ(::stat(out.c_str(), &info), 0);
  EXPECT_EQ(static_cast<std::uint64_t>(info.st_size), kBaseSize);
  EXPECT_LT(info.st_blocks * 512, 5 << 18) << "the base's hole stayed one";
  EXPECT_THAT(merge_cow(cow_, out), is_error(Kind::Conflict, "out.img"));
}

TEST_F(Cow, MergesOnlyWithTheBaseThatTheCallerMeans) {
  const std::string other = make_base("other.img");
  EXPECT_THAT(merge_cow(cow_, directory_ / "out.img", other), is_error(Kind::Conflict, "other.img"));
  EXPECT_FALSE(posix::exists(directory_ / "out.img"));
}

TEST_F(Cow, IsLeftAloneWhileAGuestRunsOnIt) {
  // UML's own lock is fcntl's, whole file, exclusive; held by descriptor here, since a process loses the
  // other kind when it closes the file anywhere.
  const UniqueFd guest(::open(cow_.c_str(), O_RDWR | O_CLOEXEC));
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  ASSERT_EQ(::fcntl(guest.get(), F_OFD_SETLK, &lock), 0);
  EXPECT_THAT(merge_cow(cow_, directory_ / "out.img"), is_error(Kind::Conflict, "running guest"));
  EXPECT_THAT(rebase_cow(cow_, base_), is_error(Kind::Conflict, "running guest"));
  EXPECT_THAT(verify_cow(cow_, base_), is_ok());
}

TEST_F(Cow, RebasesToTheSameContentElsewhere) {
  const std::string moved = directory_ / "m";
  ASSERT_EQ(::rename(base_.c_str(), moved.c_str()), 0);
  EXPECT_THAT(verify_cow(cow_, moved), is_error(Kind::Conflict, "rebase"));
  write_sector(cow_, 1, 7);
  ASSERT_THAT(rebase_cow(cow_, moved), is_ok());
  EXPECT_THAT(verify_cow(cow_, moved), is_ok());
  EXPECT_EQ(inspect_cow(cow_)->allocated_sectors, 1U);
  // The shorter path leaves nothing of the longer one: the file is what create would have made.
  ASSERT_THAT(create(directory_ / "fresh.cow", moved), is_ok());
  EXPECT_EQ(content(cow_).substr(0, 4128), content(directory_ / "fresh.cow").substr(0, 4128));
}

TEST_F(Cow, RefusesToRebaseToOtherContent) {
  const std::string longer = make_base("longer.img", kBaseSize + 4096);
  EXPECT_THAT(rebase_cow(cow_, longer), is_error(Kind::Conflict, "bytes"));
  const std::string other = make_base("other.img");
  set_mtime(other, 1000);
  EXPECT_THAT(rebase_cow(cow_, other), is_error(Kind::Conflict, "modified"));
  EXPECT_THAT(rebase_cow(cow_, cow_), is_error(Kind::Invalid, "one level"));
  EXPECT_THAT(verify_cow(cow_, base_), is_ok());
}

TEST_F(Cow, IsLargerThanItsBaseWhereAsked) {
  const std::string path = directory_ / "larger.cow";
  constexpr std::uint64_t kSize = 8U << 20U;
  EXPECT_THAT(create(path, base_, kBaseSize - 512), is_error(Kind::Invalid, "less than its base"));
  ASSERT_THAT(create(path, base_, kSize), is_ok());
  EXPECT_THAT(verify_cow(path, base_), is_ok());
  EXPECT_EQ(inspect_cow(path)->size, kSize);
  EXPECT_LE(inspect_cow(path)->host_bytes, 16384U);
  write_sector(path, kBaseSize / 512 - 1, 0x11);
  write_sector(path, kBaseSize / 512 + 100, 0x22);
  ASSERT_THAT(merge_cow(path, directory_ / "out.img"), is_ok());
  std::string expected = content(base_);
  expected.replace(kBaseSize - 512, 512, 512, '\x11');
  expected.resize(kSize);
  expected.replace(kBaseSize + 51200, 512, 512, '\x22');
  EXPECT_TRUE(content(directory_ / "out.img") == expected);
}

TEST_F(Cow, GrowsWithoutMovingAnything) {
  const std::string path = directory_ / "growing.cow";
  constexpr std::uint64_t kSize = 4U << 20U;
  constexpr std::uint64_t kLarger = 48U << 20U;
  ASSERT_THAT(create(path, base_, kSize), is_ok());
  for (const std::uint64_t sector : {0U, 5000U, 8191U}) write_sector(path, sector, 0x33);
  ASSERT_THAT(merge_cow(path, directory_ / "before.img"), is_ok());
  const auto before = inspect_cow(path);
  ASSERT_THAT(grow_cow(path, kLarger), is_ok());
  ASSERT_THAT(grow_cow(path, kLarger), is_ok());
  const auto after = inspect_cow(path);
  ASSERT_THAT(after, is_ok());
  EXPECT_EQ(after->size, kLarger);
  EXPECT_EQ(after->data_offset, before->data_offset);
  EXPECT_EQ(after->allocated_sectors, 3U);
  EXPECT_THAT(verify_cow(path, base_), is_ok());
  ASSERT_THAT(merge_cow(path, directory_ / "after.img"), is_ok());
  std::string expected = content(directory_ / "before.img");
  expected.resize(kLarger);
  EXPECT_TRUE(content(directory_ / "after.img") == expected);
  EXPECT_THAT(grow_cow(path, kSize), is_error(Kind::Conflict, "smaller"));
  EXPECT_THAT(grow_cow(path, after->most_size + 512), is_error(Kind::Conflict, "its most are"));
  EXPECT_THAT(grow_cow(path, kLarger + 100), is_error(Kind::Conflict, "sectors of 512"));
  EXPECT_EQ(inspect_cow(path)->size, kLarger);
  ASSERT_THAT(grow_cow(path, after->most_size), is_ok());
}

TEST_F(Cow, GrowsOnlyWhatIsMadeForIt) {
  EXPECT_THAT(grow_cow(cow_, kBaseSize), is_ok());
  EXPECT_THAT(grow_cow(cow_, 1U << 30U), is_error(Kind::Conflict, "its most are"));
  // A header that leaves room for as much as a hostile guest would like to fill
  const std::string path = directory_ / "forged.cow";
  ASSERT_THAT(create(path, base_, 4U << 20U), is_ok());
  overwrite(path, 24, {0x20, 0, 0, 0});
  ASSERT_EQ(::truncate(path.c_str(), off_t{3} << 30U), 0);
  EXPECT_THAT(grow_cow(path, 4U << 20U), is_error(Kind::Invalid, "more room"));
  EXPECT_THAT(grow_cow(path, 8U << 20U), is_error(Kind::Invalid, "more room"));
}

TEST_F(Cow, TellsRawDisksThatCarryTheMagic) {
  EXPECT_TRUE(carries_cow_magic(cow_).value_or(false));
  EXPECT_FALSE(carries_cow_magic(base_).value_or(true));
  overwrite(base_, 0, {0x4d, 0x4f, 0x4f, 0x4f});
  EXPECT_TRUE(carries_cow_magic(base_).value_or(false));
  EXPECT_FALSE(carries_cow_magic(make_base("empty.img", 0)).value_or(true));
  EXPECT_THAT(carries_cow_magic(directory_ / "missing"), is_error(Kind::NotFound, "missing"));
}

}  // namespace
}  // namespace umlfarm::guest
