#include "provisioner/cli/user_keys.h"

#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include "provisioner/base/atomic_file.h"
#include "provisioner/base/run_program.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/variable.h"

namespace umlfarm::cli {
namespace {

using testing::is_error;
using testing::is_ok;
using testing::Variable;
using Files = std::vector<std::string>;

class UserKeys : public ::testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& content = "a key\n") const {
    const std::string path = home_ / name;
    EXPECT_THAT(posix::make_directories(path.substr(0, path.rfind('/')), 0700), is_ok());
    EXPECT_THAT(write_file_atomically(path, content, 0600), is_ok());
    return path;
  }

  const testing::TemporaryDirectory home_;
  const Variable variable_{"HOME", home_.path()};
  const Variable sudo_{"SUDO_UID", std::nullopt};
};

constexpr const char* kOurs = ".config/umlfarm/id_ed25519";

TEST_F(UserKeys, AreNoneWhereThereAreNone) {
  EXPECT_EQ(identities(), Files());
  file(".ssh/known_hosts");
  file(".ssh/id_ed25519.pub");
  EXPECT_EQ(identities(), Files());
}

TEST_F(UserKeys, AreTheUsualOnesFirstAndThenOurs) {
  const std::string ours = file(kOurs);
  const std::string rsa = file(".ssh/id_rsa");
  const std::string ed25519 = file(".ssh/id_ed25519");
  const std::string ecdsa = file(".ssh/id_ecdsa");
  EXPECT_EQ(identities(), (Files{ed25519, ecdsa, rsa, ours}));
}

TEST_F(UserKeys, BehindSudoAreThoseOfBoth) {
  if (::getuid() != 0) GTEST_SKIP() << "sudo makes one root";
  const passwd* const entry = ::getpwuid(65534);
  if (entry == nullptr || posix::exists(std::string(entry->pw_dir) + "/.ssh"))
    GTEST_SKIP() << "no user without keys";
  const Variable sudo("SUDO_UID", "65534");
  const std::string ed25519 = file(".ssh/id_ed25519");
  EXPECT_EQ(identities(), Files{ed25519});
}

TEST_F(UserKeys, ForAGuestAreTheUsualOneBeforeOurs) {
  const char* const names[] = {kOurs, ".ssh/id_rsa", ".ssh/id_ecdsa", ".ssh/id_ed25519"};
  for (const char* name : names) {
    const std::string path = file(std::string(name) + ".pub");
    const auto key = default_public_key();
    ASSERT_THAT(key, is_ok());
    EXPECT_EQ(key->file, path);
    EXPECT_FALSE(key->made);
  }
}

TEST_F(UserKeys, AreMadeOnceWhereThereAreNone) {
  if (run_program({"sh", "-c", "command -v ssh-keygen"})->exit_code != 0) GTEST_SKIP() << "no ssh-keygen";
  const auto made = default_public_key();
  ASSERT_THAT(made, is_ok());
  EXPECT_TRUE(made->made);
  EXPECT_EQ(made->file, home_ / (std::string(kOurs) + ".pub"));
  const auto line = posix::read_file(made->file);
  ASSERT_THAT(line, is_ok());
  EXPECT_TRUE(line->starts_with("ssh-ed25519 ")) << *line;
  EXPECT_EQ(posix::stat(home_ / kOurs)->st_mode & 07777, 0600U);
  EXPECT_EQ(posix::stat(home_ / ".config/umlfarm")->st_mode & 07777, 0700U);
  EXPECT_EQ(identities(), Files{home_ / kOurs});
  const auto again = default_public_key();
  ASSERT_THAT(again, is_ok());
  EXPECT_FALSE(again->made);
  EXPECT_EQ(again->file, made->file);
  EXPECT_EQ(posix::read_file(again->file).value_or(""), *line);
}

TEST_F(UserKeys, ThatCannotBeMadeAreAnError) {
  file(".config", "no directory");
  EXPECT_THAT(default_public_key(), is_error(Kind::Invalid, home_ / ".config"));
}

}  // namespace
}  // namespace umlfarm::cli
