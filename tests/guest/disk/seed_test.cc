#include "guest/disk/seed.h"

#include <functional>

#include "provisioner/base/atomic_file.h"
#include "tests/guest/disk/disk_fixture.h"
#include "tests/guest/disk/programs.h"

namespace umlfarm::guest {
namespace {

using testing::is_error;
using testing::is_ok;
using testing::run;

constexpr const char* kHash = "$6$saltsalt$abcdefghijklmnopqrstuvwxyz./0123456789";

class SeedTest : public DiskTest {
 protected:
  void SetUp() override {
    auto key = make_host_key();
    ASSERT_THAT(key, is_ok());
    seed_.seed_id = "g17-1";
    seed_.name = "alice";
    seed_.hostname = "alice.example.org";
    seed_.mac = "02:00:00:00:00:11";
    seed_.address4 = "10.77.0.17/16";
    seed_.gateway4 = "10.77.0.1";
    seed_.address6 = "fd00:77::17/64";
    seed_.gateway6 = "fe80::1";
    seed_.dns = {"10.77.0.1", "fd00:77::1"};
    seed_.swap = true;
    seed_.root_password_hash = kHash;
    seed_.machine_id = "0123456789abcdef0123456789abcdef";
    seed_.host_key = *key;
    seed_.ssh_keys = {make_host_key()->public_line + " alice's key"};
  }

  std::string write_tar() {
    const auto tar = seed_tar(seed_);
    EXPECT_THAT(tar, is_ok());
    if (tar) {
      EXPECT_THAT(write_file_atomically(directory_ / "seed.tar", *tar, 0600), is_ok());
    }
    return directory_ / "seed.tar";
  }

  // Unpacked as the first boot unpacks it: tar reads the disk itself.
  std::string unpack() {
    const std::string root = directory_ / "root";
    const auto done = run("mkdir -p " + root + " && tar -x -p -C " + root + " -f " + write_tar());
    EXPECT_EQ(done.exit_code, 0) << done.output;
    return root;
  }

  Seed seed_;
};

TEST_F(SeedTest, ListsWithModesOwnersAndNoTimes) {
  const auto listed =
      run("TZ=UTC tar tvf " + write_tar() + " --numeric-owner | awk '{print $1, $2, $4, $6}'");
  EXPECT_EQ(listed.output,
            "drwxr-xr-x 0/0 1970-01-01 etc/umlfarm/\n"
            "-rw-r--r-- 0/0 1970-01-01 etc/umlfarm/guest.env\n"
            "-rw-r--r-- 0/0 1970-01-01 etc/hostname\n"
            "-rw-r--r-- 0/0 1970-01-01 etc/hosts\n"
            "-rw-r--r-- 0/0 1970-01-01 etc/machine-id\n"
            "drwx------ 0/0 1970-01-01 root/.ssh/\n"
            "-rw------- 0/0 1970-01-01 root/.ssh/authorized_keys\n"
            "-rw------- 0/0 1970-01-01 etc/ssh/ssh_host_ed25519_key\n"
            "-rw-r--r-- 0/0 1970-01-01 etc/ssh/ssh_host_ed25519_key.pub\n"
            "-rw------- 0/0 1970-01-01 etc/dropbear/dropbear_ed25519_host_key\n"
            "-rw------- 0/0 1970-01-01 etc/umlfarm/root.hash\n");
}

TEST_F(SeedTest, IsUstarInWholeSectorsAndTheSameEveryTime) {
  const auto tar = seed_tar(seed_);
  ASSERT_THAT(tar, is_ok());
  EXPECT_EQ(tar->size() % 512, 0U);
  EXPECT_EQ(tar->substr(257, 8), std::string("ustar\00000", 8));
  EXPECT_TRUE(tar->ends_with(std::string(1024, '\0')));
  EXPECT_TRUE(*tar == *seed_tar(seed_));
}

TEST_F(SeedTest, TheShellReadsTheEnvironment) {
  const std::string root = unpack();
  const auto read =
      run(". " + root +
          "/etc/umlfarm/guest.env; echo \"$UMLFARM_SEED_ID|$UMLFARM_NAME|"
          "$UMLFARM_HOSTNAME|$UMLFARM_MAC|$UMLFARM_ADDRESS4|$UMLFARM_GATEWAY4|$UMLFARM_ADDRESS6|"
          "$UMLFARM_GATEWAY6|$UMLFARM_DNS|$UMLFARM_SWAP\"");
  EXPECT_EQ(read.output,
            "g17-1|alice|alice.example.org|02:00:00:00:00:11|10.77.0.17/16|10.77.0.1|fd00:77::17/64|fe80::1|"
            "10.77.0.1 fd00:77::1|1\n");
}

TEST_F(SeedTest, HoldsTheFilesOfAGuest) {
  const std::string root = unpack();
  EXPECT_EQ(content(root + "/etc/hostname"), "alice.example.org\n");
  EXPECT_EQ(content(root + "/etc/machine-id"), seed_.machine_id + "\n");
  EXPECT_EQ(content(root + "/etc/umlfarm/root.hash"), std::string(kHash) + "\n");
  EXPECT_EQ(content(root + "/root/.ssh/authorized_keys"), seed_.ssh_keys[0] + "\n");
  EXPECT_EQ(content(root + "/etc/hosts"),
            "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"
            "10.77.0.17 alice.example.org alice\nfd00:77::17 alice.example.org alice\n");
  EXPECT_EQ(run("ssh-keygen -y -f " + root + "/etc/ssh/ssh_host_ed25519_key").output,
            seed_.host_key.public_line + "\n");
  EXPECT_EQ(run("dropbearkey -y -f " + root + "/etc/dropbear/dropbear_ed25519_host_key").exit_code, 0);
  EXPECT_EQ(run("ssh-keygen -l -f " + root + "/etc/ssh/ssh_host_ed25519_key.pub").exit_code, 0);
}

TEST_F(SeedTest, LeavesOutWhatIsNotGiven) {
  seed_.root_password_hash.reset();
  seed_.ssh_keys.clear();
  seed_.address4 = seed_.gateway4 = seed_.address6 = seed_.gateway6 = "";
  seed_.dns.clear();
  seed_.swap = false;
  const std::string root = unpack();
  EXPECT_FALSE(posix::exists(root + "/etc/umlfarm/root.hash"));
  EXPECT_EQ(content(root + "/root/.ssh/authorized_keys"), "");
  EXPECT_NE(content(root + "/etc/umlfarm/guest.env").find("UMLFARM_DNS=''\nUMLFARM_SWAP='0'\n"),
            std::string::npos);
  EXPECT_NE(content(root + "/etc/hosts").find("127.0.1.1 alice.example.org"), std::string::npos);
}

TEST_F(SeedTest, RefusesValuesThatAreNotWhatTheySay) {
  const Seed good = seed_;
  const auto expect_refused = [&](const char* text, const std::function<void(Seed&)>& spoil) {
    Seed seed = good;
    spoil(seed);
    EXPECT_THAT(seed_tar(seed), is_error(Kind::Invalid, text));
  };
  expect_refused("seed id", [](Seed& s) { s.seed_id = "a'b"; });
  expect_refused("seed id", [](Seed& s) { s.seed_id = ""; });
  expect_refused("guest name", [](Seed& s) { s.name = "Alice"; });
  for (const char* name : {"", "a..b", "-a", "a_b", "a\nb", "a;reboot", "a."}) {
    expect_refused("host name", [&](Seed& s) { s.hostname = name; });
  }
  expect_refused("host name", [](Seed& s) { s.hostname = std::string(64, 'a'); });
  for (const char* mac : {"", "02:00:00:00:00:0g", "02-00-00-00-00-01", "02:00:00:00:00:011"}) {
    expect_refused("MAC", [&](Seed& s) { s.mac = mac; });
  }
  for (const char* address :
       {"10.0.0.1", "10.0.0.1/33", "10.0.0.1/", "10.0.0.1/ 8", "10.0.0/8", "10.0.0.1/8x", "fd00::1/64"}) {
    expect_refused("IPv4 address", [&](Seed& s) { s.address4 = address; });
  }
  expect_refused("IPv6 address", [](Seed& s) { s.address6 = "fd00::1/129"; });
  expect_refused("IPv4 gateway", [](Seed& s) { s.gateway4 = "10.0.0.1/8"; });
  expect_refused("IPv4 gateway", [](Seed& s) { s.address4 = ""; });
  expect_refused("IPv6 gateway", [](Seed& s) { s.gateway6 = "10.0.0.1"; });
  expect_refused("DNS server", [](Seed& s) { s.dns.emplace_back("1.1.1.1 -x"); });
  expect_refused("DNS server", [](Seed& s) { s.dns.emplace_back(std::string("1.1.1.1\0'", 9)); });
  expect_refused("machine id", [](Seed& s) { s.machine_id = "0123"; });
  expect_refused("machine id", [](Seed& s) { s.machine_id[0] = 'A'; });
  for (const char* hash : {"", "secret", "$6$a:b$cdefgh", "$6$salt$abc\nroot", "*"}) {
    expect_refused("password hash", [&](Seed& s) { s.root_password_hash = hash; });
  }
  expect_refused("SSH key", [](Seed& s) { s.ssh_keys.emplace_back("command=\"x\" ssh-rsa AAAA"); });
  expect_refused("host key", [](Seed& s) { s.host_key.openssh_private.clear(); });
}

TEST_F(SeedTest, NeverShowsAPasswordHash) {
  seed_.root_password_hash = "hunter2hunter2";
  EXPECT_EQ(seed_tar(seed_).error().message().find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace umlfarm::guest
