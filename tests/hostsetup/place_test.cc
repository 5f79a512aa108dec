#include "hostsetup/place.h"

#include <unistd.h>

#include "provisioner/base/posix.h"
#include "tests/hostsetup/fake_machine.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::hostsetup {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::is_error;
using testing::is_ok;

class PlaceTest : public ::testing::Test {
 protected:
  void expect_round_trip(const Place& place, const Standing& other) {
    const auto before = look(host_.machine(), place);
    ASSERT_THAT(before, is_ok());
    ASSERT_THAT(put(host_.machine(), place, other), is_ok());
    EXPECT_EQ(look(host_.machine(), place).value_or("?"), other);
    ASSERT_THAT(put(host_.machine(), place, *before), is_ok());
    EXPECT_EQ(look(host_.machine(), place).value_or("?"), *before);
  }
  FakeMachine host_;
};

TEST_F(PlaceTest, HoldsAFileThatComesAndGoes) {
  expect_round_trip({Sort::File, "/etc/new.conf"}, file_standing("one\ntwo\n"));
  EXPECT_FALSE(host_.machine().has("/etc/new.conf"));
}

TEST_F(PlaceTest, HoldsAFileWithItsModeAndOwner) {
  host_.write("/etc/there.conf", "of another\n");
  ASSERT_EQ(::chmod(host_.machine().at("/etc/there.conf").c_str(), 0640), 0);
  expect_round_trip({Sort::File, "/etc/there.conf"}, file_standing(""));
  EXPECT_EQ(*look(host_.machine(), {Sort::File, "/etc/there.conf"}),
            "0640 " + std::to_string(::getuid()) + ":" + std::to_string(::getgid()) + "\nof another\n");
}

TEST_F(PlaceTest, HoldsALink) {
  ASSERT_EQ(::symlink("/dev/null", host_.machine().at("/etc/linked.conf").c_str()), 0);
  expect_round_trip({Sort::File, "/etc/linked.conf"}, file_standing("text\n"));
  EXPECT_EQ(*look(host_.machine(), {Sort::File, "/etc/linked.conf"}), "-> /dev/null");
}

TEST_F(PlaceTest, HoldsADirectoryThatComesAndGoes) {
  expect_round_trip({Sort::Directory, "/var/lib/new"}, "0711 0:0");
  expect_round_trip({Sort::Directory, "/var/lib/umlfarm"}, "0700 0:0");
}

TEST_F(PlaceTest, KeepsADirectoryThatIsNotEmpty) {
  host_.write("/var/lib/umlfarm/kept", "x");
  EXPECT_THAT(put(host_.machine(), {Sort::Directory, "/var/lib/umlfarm"}, {}),
              is_error(Kind::Conflict, "not ours"));
  EXPECT_TRUE(host_.machine().has("/var/lib/umlfarm/kept"));
}

TEST_F(PlaceTest, RefusesWhatIsOfAnotherSort) {
  EXPECT_THAT(look(host_.machine(), {Sort::File, "/etc/umlfarm"}), is_error(Kind::Conflict, "is no file"));
  EXPECT_THAT(look(host_.machine(), {Sort::Directory, "/etc/passwd"}),
              is_error(Kind::Conflict, "is no directory"));
}

TEST_F(PlaceTest, HoldsASetting) {
  expect_round_trip({Sort::Setting, "/proc/sys/kernel/pid_max"}, "32768");
  host_.write("/proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456\n");
  EXPECT_EQ(*look(host_.machine(), {Sort::Setting, "/proc/sys/net/ipv4/tcp_rmem"}), "4096 131072 6291456");
  EXPECT_EQ(*look(host_.machine(), {Sort::Setting, "/sys/kernel/mm/transparent_hugepage/enabled"}),
            "madvise");
  EXPECT_EQ(*look(host_.machine(), {Sort::Setting, "/proc/sys/none"}), Standing());
}

TEST_F(PlaceTest, IsAUnitAtBootAndNow) {
  const std::string unit = "umlfarmd.service";
  const Place at_boot{Sort::Enabled, unit};
  const Place now{Sort::Running, unit};
  EXPECT_EQ(*look(host_.machine(), at_boot), "enabled");
  EXPECT_EQ(*look(host_.machine(), now), "active");
  for (const char* state : {"failed", "activating", "inactive"}) {
    host_.answers("systemctl is-active " + unit, std::string(state) + "\n", 3);
    EXPECT_EQ(*look(host_.machine(), now), "inactive") << state;
  }
  for (const char* none :
       {"", "not-found\n", "Failed to get unit file state for x: No such file or directory\n"}) {
    host_.answers("systemctl is-enabled " + unit, none, 1);
    EXPECT_EQ(*look(host_.machine(), at_boot), Standing()) << none;
  }
  for (const char* verb : {"daemon-reload", "stop umlfarmd.service", "disable umlfarmd.service",
                           "enable umlfarmd.service", "start umlfarmd.service"}) {
    host_.answers(std::string("systemctl ") + verb, "");
  }
  const struct {
    Place place;
    const char* wanted;
    const char* command;
  } rows[] = {{at_boot, "enabled", "enable"},
              {at_boot, "disabled", "disable"},
              {now, "active", "start"},
              {now, "inactive", "stop"}};
  for (const auto& row : rows) {
    ASSERT_THAT(put(host_.machine(), row.place, row.wanted), is_ok());
    EXPECT_EQ(host_.ran().back(), std::string("systemctl ") + row.command + " " + unit);
  }
}

TEST_F(PlaceTest, SaysWhyAServiceDoesNotStart) {
  host_.answers("systemctl daemon-reload", "");
  host_.answers("systemctl start umlfarmd.service", "Job for umlfarmd.service failed.\n", 1);
  EXPECT_THAT(put(host_.machine(), {Sort::Running, "umlfarmd.service"}, "active"),
              is_error(Kind::Unavailable, "Job for umlfarmd.service failed."));
}

TEST_F(PlaceTest, TakesALinkToADirectoryForOne) {
  ASSERT_THAT(posix::make_directories(host_.machine().at("/srv/umlfarm"), 0755), is_ok());
  ASSERT_EQ(::symlink("../srv/umlfarm", host_.machine().at("/var/linked").c_str()), 0);
  expect_round_trip({Sort::Directory, "/var/linked"}, "0711 0:0");
  EXPECT_EQ(*look(host_.machine(), {Sort::Directory, "/srv/umlfarm"}), "0755 0:0");
}

TEST_F(PlaceTest, TakesAwayWhatAKilledRunLeftBesideAFile) {
  host_.write("/etc/new.conf", "x");
  host_.write("/etc/new.conf.new", "half");
  ASSERT_THAT(put(host_.machine(), {Sort::File, "/etc/new.conf"}, {}), is_ok());
  EXPECT_FALSE(host_.machine().has("/etc/new.conf.new"));
}

TEST(Sorts, HaveNames) {
  for (const Sort sort : {Sort::File, Sort::Directory, Sort::Setting, Sort::Enabled, Sort::Running}) {
    EXPECT_EQ(*sort_from_name(sort_name(sort)), sort);
  }
  EXPECT_THAT(sort_from_name("planet"), is_error(Kind::Invalid, "planet"));
}

}  // namespace
}  // namespace umlfarm::hostsetup
