#include "guest/disk/host_key.h"

#include "guest/disk/ssh_key.h"
#include "provisioner/base/atomic_file.h"
#include "tests/guest/disk/disk_fixture.h"
#include "tests/guest/disk/programs.h"

namespace umlfarm::guest {
namespace {

using testing::is_ok;
using testing::run;

class HostKeys : public DiskTest {
 protected:
  void SetUp() override {
    auto key = make_host_key();
    ASSERT_THAT(key, is_ok());
    key_ = std::move(*key);
  }

  std::string file(const std::string& name, const std::string& data) {
    EXPECT_THAT(write_file_atomically(directory_ / name, data, 0600), is_ok());
    return directory_ / name;
  }

  HostKey key_;
};

TEST_F(HostKeys, OpenSshReadsThePrivateKey) {
  const auto read = run("ssh-keygen -y -f " + file("key", key_.openssh_private));
  EXPECT_EQ(read.exit_code, 0) << read.output;
  EXPECT_EQ(read.output, key_.public_line + "\n");
}

TEST_F(HostKeys, OpenSshWritesTheSameFileFromIt) {
  // Rewriting without a passphrase changes only the two check numbers.
  const std::string path = file("key", key_.openssh_private);
  ASSERT_EQ(run("ssh-keygen -p -P '' -N '' -f " + path).exit_code, 0);
  EXPECT_EQ(content(path).size(), key_.openssh_private.size());
}

TEST_F(HostKeys, DropbearReadsThePrivateKey) {
  const auto read = run("dropbearkey -y -f " + file("key", key_.dropbear_private));
  EXPECT_EQ(read.exit_code, 0) << read.output;
  EXPECT_NE(read.output.find(key_.public_line + " "), std::string::npos) << read.output;
}

TEST_F(HostKeys, TheOpenSshKeySignsForThePublicLine) {
  // A private half that does not belong to its public half would pass every check of form.
  const std::string key = file("key", key_.openssh_private);
  const std::string signers = file("signers", "guest " + key_.public_line + "\n");
  const std::string data = file("data", "hello");
  ASSERT_EQ(run("ssh-keygen -Y sign -n test -f " + key + " " + data).exit_code, 0);
  const auto verified =
      run("ssh-keygen -Y verify -n test -I guest -f " + signers + " -s " + data + ".sig < " + data);
  EXPECT_EQ(verified.exit_code, 0) << verified.output;
}

TEST_F(HostKeys, EachIsNewAndPassesOurOwnCheck) {
  EXPECT_THAT(check_ssh_key(key_.public_line), is_ok());
  EXPECT_NE(make_host_key()->public_line, key_.public_line);
}

}  // namespace
}  // namespace umlfarm::guest
