#include "provisioner/cli/raw_terminal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "provisioner/base/unique_fd.h"

namespace umlfarm::cli {
namespace {

// Another standard input for as long as it lives.
class Input {
 public:
  explicit Input(const UniqueFd& fd) : before_(::fcntl(0, F_DUPFD_CLOEXEC, 3)) { ::dup2(fd.get(), 0); }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  ~Input() {
    if (before_) {
      ::dup2(before_.get(), 0);
    } else {
      ::close(0);
    }
  }

 private:
  UniqueFd before_;
};

class RawTerminalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    master_.reset(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_TRUE(master_);
    ASSERT_EQ(::grantpt(master_.get()), 0);
    ASSERT_EQ(::unlockpt(master_.get()), 0);
    char name[128];
    ASSERT_EQ(::ptsname_r(master_.get(), name, sizeof name), 0);
    terminal_.reset(::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_TRUE(terminal_);
  }
  tcflag_t local_modes() const {
    termios mode{};
    EXPECT_EQ(::tcgetattr(terminal_.get(), &mode), 0);
    return mode.c_lflag;
  }

  UniqueFd master_;
  UniqueFd terminal_;
};

TEST_F(RawTerminalTest, PassesEveryKeyAndIsAsBeforeInTheEnd) {
  const Input input(terminal_);
  const tcflag_t before = local_modes();
  ASSERT_NE(before & ICANON, 0U);
  {
    const RawTerminal raw;
    EXPECT_TRUE(raw.present());
    EXPECT_EQ(local_modes() & (ICANON | ECHO | ISIG), 0U);
  }
  EXPECT_EQ(local_modes(), before);
}

TEST_F(RawTerminalTest, HasASizeOnceItWasGivenOne) {
  const Input input(terminal_);
  EXPECT_EQ(terminal_size(), "");
  const winsize size{37, 101, 0, 0};
  ASSERT_EQ(::ioctl(master_.get(), TIOCSWINSZ, &size), 0);
  EXPECT_EQ(terminal_size(), "{\"rows\":37,\"cols\":101}");
}

TEST_F(RawTerminalTest, IsNotThereForAFile) {
  const UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Input input(file);
  const RawTerminal raw;
  EXPECT_FALSE(raw.present());
  EXPECT_EQ(terminal_size(), "");
}

}  // namespace
}  // namespace umlfarm::cli
