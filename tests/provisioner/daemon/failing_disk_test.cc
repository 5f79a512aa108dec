// A disk that refuses: what the farm remembers and what is on the disk stay the same.
#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "provisioner/base/posix.h"
#include "provisioner/daemon/guest_table.h"
#include "tests/provisioner/daemon/store_fixture.h"
#include "tests/support/file_size_limit.h"

namespace umlfarm::daemon {
namespace {

using testing::is_error;
using testing::is_ok;

class FailingDisk : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    add(1, 2);
    table_ = std::make_unique<GuestTable>(*store_, ledger_);
    ASSERT_THAT(table_->load(), is_ok());
  }

  // What a daemon that starts now would know. The store stays open, as another would find it.
  std::vector<std::string> on_disk() {
    const auto other = open_sqlite_store(path_);
    EXPECT_THAT(other, is_ok());
    if (!other) return {};
    const auto guests = (*other)->guests();
    EXPECT_THAT(guests, is_ok());
    return texts_of(guests.value_or(std::vector<GuestRecord>()));
  }
  std::vector<std::string> in_memory() const { return texts_of(table_->records()); }
  std::uint64_t log_size() const { return static_cast<std::uint64_t>(posix::stat(path_ + "-wal")->st_size); }

  quota::Ledger ledger_;
  std::unique_ptr<GuestTable> table_;
};

using Attempt = bool (*)(GuestTable&);

constexpr Attempt kAttempts[] = {
    [](GuestTable& table) {
      return table.add({guest_of(8, "n8"), guest_of(9, "n9")}, {}, as_they_are).has_value();
    },
    [](GuestTable& table) {
      return table.update(1, [](GuestRecord& record) { record.desired = Desired::Stopped; }).has_value();
    },
    [](GuestTable& table) { return table.forget(2).has_value(); },
};

TEST_F(FailingDisk, LeavesMemoryAndDiskAsTheyWereWhereverAWriteFails) {
  for (const Attempt attempt : kAttempts) {
    const std::vector<std::string> before = in_memory();
    std::uint64_t room = 0;
    // A frame of the log is a little more than a page: each cut falls elsewhere in it.
    for (bool done = false; !done; room += 1500) {
      {
        const testing::FileSizeLimit limit(log_size() + room);
        done = attempt(*table_);
      }
      ASSERT_LT(room, 200'000U) << "it never succeeds";
      EXPECT_EQ(in_memory() == before, !done) << "with room for " << room << " bytes";
      EXPECT_EQ(in_memory(), on_disk()) << "with room for " << room << " bytes";
    }
    EXPECT_GT(room, 1500U) << "it never failed";
  }
}

TEST_F(FailingDisk, LeavesThemSoWhileTheStoreIsLockedAndWorksAfterwards) {
  SQLite::Database other(path_, SQLite::OPEN_READWRITE);
  other.exec("BEGIN IMMEDIATE");
  const std::vector<std::string> before = in_memory();
  for (const Attempt attempt : kAttempts) {
    EXPECT_FALSE(attempt(*table_));
    EXPECT_EQ(in_memory(), before);
    EXPECT_EQ(on_disk(), before);
  }
  other.exec("ROLLBACK");
  for (const Attempt attempt : kAttempts) {
    EXPECT_TRUE(attempt(*table_));
    EXPECT_EQ(in_memory(), on_disk());
  }
}

// Takes the child of a test to a mount namespace of its own, without root to a user namespace too.
bool leave_mounts() {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (user == 0) return ::unshare(CLONE_NEWNS) == 0;
  return ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
         posix::write_existing("/proc/self/setgroups", "deny") &&
         posix::write_existing("/proc/self/uid_map", "0 " + std::to_string(user) + " 1") &&
         posix::write_existing("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
}

// Calls `body` in a child that has a small filesystem of its own at `directory`. Says why it could not; the
// child's failures are the test's.
std::string in_small_filesystem(const std::string& directory, const std::function<void()>& body) {
  constexpr int kNoMount = 77;
  const pid_t child = ::fork();
  if (child < 0) return "no child";
  if (child == 0) {
    const bool mounted = leave_mounts() &&
                         ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                         ::mount("none", directory.c_str(), "tmpfs", 0, "size=320k") == 0;
    if (!mounted) ::_exit(kNoMount);
    body();
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = -1;
  if (::waitpid(child, &status, 0) != child) return "the child is lost";
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNoMount) return "no mount namespace may be made here";
  EXPECT_EQ(status, 0) << "the child failed";
  return "";
}

GuestRecord numbered(int number) { return guest_of(number, "n" + std::to_string(number)); }

void fill_up(const std::string& directory) {
  const std::string ballast = directory + "/ballast";
  {
    const auto file = posix::open(ballast, O_CREAT | O_WRONLY, 0600);
    ASSERT_THAT(file, is_ok());
    ASSERT_THAT(posix::write_all(file->get(), std::string(32U << 10U, 'x')), is_ok());
  }
  auto store = open_sqlite_store(directory + "/state.db");
  ASSERT_THAT(store, is_ok());
  quota::Ledger ledger;
  GuestTable table(**store, ledger);
  int number = 1;
  auto added = table.add({numbered(number)}, {}, as_they_are);
  while (added && number < 60) added = table.add({numbered(++number)}, {}, as_they_are);
  EXPECT_THAT(added, is_error(Kind::QuotaExceeded, "make room"));
  EXPECT_GT(number, 1);
  EXPECT_EQ(texts_of(table.records()), texts_of(*(*store)->guests()));
  EXPECT_EQ(table.records().size() + 1, static_cast<std::size_t>(number));
  ASSERT_THAT(posix::remove_file(ballast), is_ok());
  EXPECT_THAT(table.add({numbered(number)}, {}, as_they_are), is_ok());
  EXPECT_EQ(texts_of(table.records()), texts_of(*(*store)->guests()));
}

TEST(FullDisk, IsNamedAndLeavesMemoryAndDiskAlike) {
  const testing::TemporaryDirectory directory;
  const std::string why = in_small_filesystem(directory.path(), [&] { fill_up(directory.path()); });
  if (!why.empty()) GTEST_SKIP() << why;
}

}  // namespace
}  // namespace umlfarm::daemon
