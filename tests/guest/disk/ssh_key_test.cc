#include "guest/disk/ssh_key.h"

#include "guest/disk/base64.h"
#include "guest/disk/ssh_wire.h"
#include "tests/guest/disk/disk_fixture.h"
#include "tests/guest/disk/programs.h"

namespace umlfarm::guest {
namespace {

using testing::is_error;
using testing::is_ok;
using testing::run;

std::string key(std::string_view type, const std::vector<std::string>& fields, std::string_view inner = "") {
  std::string blob;
  put_wire_string(blob, inner.empty() ? type : inner);
  for (const auto& field : fields) put_wire_string(blob, field);
  return std::string(type) + " " + base64_encode(blob);
}

const std::string kEd25519 = key("ssh-ed25519", {std::string(32, 'k')});

class SshKeyFromOpenSsh : public DiskTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(SshKeyFromOpenSsh, IsAccepted) {
  const std::string file = directory_ / "key";
  const auto made =
      run("ssh-keygen -q -N '' -C 'alice at home' -t " + std::string(GetParam()) + " -f " + file);
  ASSERT_EQ(made.exit_code, 0) << made.output;
  std::string line = content(file + ".pub");
  line.pop_back();
  const auto checked = check_ssh_key(line);
  ASSERT_THAT(checked, is_ok());
  EXPECT_EQ(*checked, line);
  const auto refused = check_ssh_key(content(file));
  EXPECT_THAT(refused, is_error(Kind::Invalid, "private key"));
  EXPECT_EQ(refused.error().message().find("BEGIN"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Types, SshKeyFromOpenSsh,
                         ::testing::Values("ed25519", "rsa -b 2048", "ecdsa -b 256", "ecdsa -b 384",
                                           "ecdsa -b 521"));

TEST(SshKey, AcceptsSecurityKeys) {
  const std::string point = '\x04' + std::string(64, 'p');
  EXPECT_THAT(check_ssh_key(key("sk-ssh-ed25519@openssh.com", {std::string(32, 'k'), "ssh:"})), is_ok());
  EXPECT_THAT(check_ssh_key(key("sk-ecdsa-sha2-nistp256@openssh.com", {"nistp256", point, "ssh:"})), is_ok());
  EXPECT_THAT(check_ssh_key(key("sk-ssh-ed25519@openssh.com", {std::string(32, 'k')})),
              is_error(Kind::Invalid, "cut short"));
}

TEST(SshKey, IsNormalised) {
  EXPECT_EQ(check_ssh_key(" \t" + kEd25519 + "   alice  smith \t").value_or(std::string()),
            kEd25519 + " alice  smith");
  EXPECT_EQ(check_ssh_key(kEd25519).value_or(std::string()), kEd25519);
}

TEST(SshKey, RefusesWhatIsNotOneLineOfOneKey) {
  EXPECT_THAT(check_ssh_key(""), is_error(Kind::Invalid, "empty"));
  EXPECT_THAT(check_ssh_key("  "), is_error(Kind::Invalid, "empty"));
  EXPECT_THAT(check_ssh_key(kEd25519 + "\n" + kEd25519), is_error(Kind::Invalid, "more than one line"));
  EXPECT_THAT(check_ssh_key(kEd25519 + "\r"), is_error(Kind::Invalid, "more than one line"));
  EXPECT_THAT(check_ssh_key(kEd25519 + " a\x1b[2J"), is_error(Kind::Invalid, "control"));
  EXPECT_THAT(check_ssh_key(kEd25519 + std::string(" a\0b", 4)), is_error(Kind::Invalid, "control"));
  EXPECT_THAT(check_ssh_key(kEd25519 + " " + std::string(20000, 'c')), is_error(Kind::Invalid, "bytes"));
  EXPECT_THAT(check_ssh_key("command=\"id\" " + kEd25519), is_error(Kind::Invalid, "options"));
  EXPECT_THAT(check_ssh_key("no-pty,command=\"a b\" " + kEd25519), is_error(Kind::Invalid, "options"));
  EXPECT_THAT(check_ssh_key("ssh-foo AAAA"), is_error(Kind::Invalid, "'ssh-foo' is not a key type"));
  EXPECT_THAT(check_ssh_key("ssh-dss AAAA"), is_error(Kind::Invalid, "DSA"));
  EXPECT_THAT(check_ssh_key("ssh-ed25519-cert-v01@openssh.com AAAA"),
              is_error(Kind::Invalid, "certificates"));
  EXPECT_THAT(check_ssh_key("---- BEGIN SSH2 PUBLIC KEY ----"), is_error(Kind::Invalid, "ssh-keygen -i"));
  EXPECT_THAT(check_ssh_key("PuTTY-User-Key-File-3: ssh-ed25519"), is_error(Kind::Invalid, "private key"));
  EXPECT_THAT(check_ssh_key("/home/alice/.ssh/id.pub"), is_error(Kind::Invalid, "give the one line"));
}

TEST(SshKey, RefusesBrokenBase64) {
  EXPECT_THAT(check_ssh_key("ssh-ed25519"), is_error(Kind::Invalid, "base64"));
  EXPECT_THAT(check_ssh_key(kEd25519.substr(0, kEd25519.size() - 1)), is_error(Kind::Invalid, "base64"));
  EXPECT_THAT(check_ssh_key(kEd25519 + "===="), is_error(Kind::Invalid, "base64"));
  EXPECT_THAT(check_ssh_key("ssh-ed25519 AA!A"), is_error(Kind::Invalid, "base64"));
}

TEST(SshKey, RefusesStructuresThatAreNotExact) {
  const std::string good(32, 'k');
  EXPECT_THAT(check_ssh_key(key("ssh-ed25519", {good}, "ssh-rsa")), is_error(Kind::Invalid, "type named"));
  EXPECT_THAT(check_ssh_key(key("ssh-ed25519", {std::string(31, 'k')})), is_error(Kind::Invalid, "32 bytes"));
  EXPECT_THAT(check_ssh_key(key("ssh-ed25519", {good, ""})), is_error(Kind::Invalid, "after its end"));
  EXPECT_THAT(check_ssh_key(key("ssh-ed25519", {})), is_error(Kind::Invalid, "cut short"));
  EXPECT_THAT(check_ssh_key("ssh-ed25519 " + base64_encode("\xff\xff\xff\xffssh")),
              is_error(Kind::Invalid, "type named"));
  EXPECT_THAT(check_ssh_key(key("ecdsa-sha2-nistp256", {"nistp384", '\x04' + std::string(64, 'p')})),
              is_error(Kind::Invalid, "curve"));
  EXPECT_THAT(check_ssh_key(key("ecdsa-sha2-nistp256", {"nistp256", std::string(65, 'p')})),
              is_error(Kind::Invalid, "point"));
  EXPECT_THAT(check_ssh_key(key("ecdsa-sha2-nistp256", {"nistp256", ""})), is_error(Kind::Invalid, "point"));
}

TEST(SshKey, RefusesWeakAndBrokenRsa) {
  const std::string exponent("\x01\x00\x01", 3);
  const auto modulus = [](std::size_t bytes) { return '\0' + std::string(bytes, '\xff'); };
  EXPECT_THAT(check_ssh_key(key("ssh-rsa", {exponent, modulus(256)})), is_ok());
  EXPECT_THAT(check_ssh_key(key("ssh-rsa", {exponent, modulus(128)})), is_error(Kind::Invalid, "1024 bits"));
  EXPECT_THAT(check_ssh_key(key("ssh-rsa", {exponent, modulus(2049)})), is_error(Kind::Invalid, "bits"));
  EXPECT_THAT(check_ssh_key(key("ssh-rsa", {exponent, std::string(256, '\xff')})),
              is_error(Kind::Invalid, "broken"))
      << "negative";
  EXPECT_THAT(check_ssh_key(key("ssh-rsa", {"\x01", modulus(256)})), is_error(Kind::Invalid, "broken"));
  EXPECT_THAT(check_ssh_key(key("ssh-rsa", {"", modulus(256)})), is_error(Kind::Invalid, "broken"));
  EXPECT_THAT(check_ssh_key(key("ssh-rsa", {exponent, ""})), is_error(Kind::Invalid, "broken"));
}

}  // namespace
}  // namespace umlfarm::guest
