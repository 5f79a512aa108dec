#include <sys/stat.h>
#include <unistd.h>

#include "provisioner/base/atomic_file.h"
#include "tests/provisioner/daemon/admission_fixture.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::daemon {
namespace {

using testing::is_error;
using testing::is_ok;

class ExtraDisks : public Admission {
 protected:
  void SetUp() override { write(disk_, "x", 0644); }
  static void write(const std::string& path, const std::string& content, mode_t mode) {
    ASSERT_THAT(write_file_atomically(path, content, mode), is_ok());
  }

  testing::TemporaryDirectory directory_;
  std::string disk_ = directory_ / "disk.img";
};

TEST_F(ExtraDisks, AreKeptAsTheyWereAsked) {
  const auto admitted = ask_with([&](CreateRequest& request) { request.extra_disks = {disk_, disk_}; });
  ASSERT_THAT(admitted, is_ok());
  EXPECT_THAT(admitted->front().identity.extra_disks, ::testing::ElementsAre(disk_, disk_));
}

TEST_F(ExtraDisks, AreRefusedWhereAGuestCouldNotHaveThem) {
  write(directory_ / "secret.img", "x", 0640);
  write(directory_ / "cow.img", "OOOM" + std::string(8192, '\0'), 0644);
  ASSERT_EQ(::mkfifo((directory_ / "pipe").c_str(), 0644), 0);
  const struct {
    std::string path;
    Kind kind;
    const char* says;
  } rows[] = {{"", Kind::Invalid, "absolute"},
              {"disk.img", Kind::Invalid, "absolute"},
              {"/a b", Kind::Invalid, "spaces"},
              {"/a,b", Kind::Invalid, "commas"},
              {"/a\nb", Kind::Invalid, "disk"},
              {"/a=b", Kind::Invalid, "'='"},
              {"/a:b", Kind::Invalid, "':'"},
              {directory_ / "none.img", Kind::NotFound, "none.img"},
              {directory_.path(), Kind::Invalid, "regular"},
              {"/dev/null", Kind::Invalid, "regular"},
              {directory_ / "pipe", Kind::Invalid, "regular"},
              {directory_ / "cow.img", Kind::Invalid, "copy-on-write"},
              {directory_ / "secret.img", Kind::Denied, "chmod"}};
  for (const auto& row : rows) {
    const auto refused = ask_with([&](CreateRequest& request) { request.extra_disks = {disk_, row.path}; });
    EXPECT_THAT(refused, is_error(row.kind, row.says)) << row.path;
  }
}

TEST_F(ExtraDisks, AreRefusedWhereWhoAsksMayNotReadThem) {
  // None but the one who runs the test may enter its directory, and without root none may act for another.
  const auto denied = ask_with([&](CreateRequest& request) {
    request.extra_disks = {disk_};
    request.asker = ::geteuid() + 12'345;
  });
  EXPECT_THAT(denied, is_error(Kind::Denied, ""));
}

}  // namespace
}  // namespace umlfarm::daemon
