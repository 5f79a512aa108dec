#include "hostsetup/inspection.h"

#include "hostsetup/boot_settings.h"
#include "tests/hostsetup/fake_machine.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::hostsetup {
namespace {

using testing::is_error;
using testing::is_ok;
using ::testing::IsEmpty;

constexpr const char* kPids = "/proc/sys/kernel/pid_max";
constexpr const char* kYama = "/proc/sys/kernel/yama/ptrace_scope";

std::vector<Change> wanted(const FakeMachine& host, const Record& record = {}) {
  const auto answers = inspect(host.context());
  EXPECT_THAT(answers, is_ok());
  return wanted_changes(host.machine(), record, *answers);
}

const Change* find(const std::vector<Change>& changes, const Place& place) {
  for (const Change& change : changes) {
    if (change.place == place) return &change;
  }
  return nullptr;
}

TEST(Inspection, WantsNothingThatIsNotThereAlreadyOnAGoodHost) {
  const FakeMachine host;
  for (const Change& change : wanted(host)) {
    EXPECT_EQ(look(host.machine(), change.place).value_or("?"), change.wanted) << change.place.name;
  }
  EXPECT_EQ(verdict(*inspect(host.context())), 0);
}

TEST(Inspection, WantsASettingNowAndAtEachStart) {
  FakeMachine host;
  host.write(kYama, "2\n");
  const auto changes = wanted(host);
  const Change* const setting = find(changes, {Sort::Setting, kYama});
  ASSERT_NE(setting, nullptr);
  EXPECT_EQ(setting->wanted, "1");
  const Change* const file = find(changes, {Sort::File, kSysctlFile});
  ASSERT_NE(file, nullptr);
  EXPECT_NE(file->wanted->find("\nkernel.yama.ptrace_scope = 1\n"), std::string::npos);
  EXPECT_EQ(file->wanted->find("pid_max"), std::string::npos) << "which was right already";
  EXPECT_LT(file, setting) << "a run that is killed between leaves a machine that is right when it starts";
  EXPECT_EQ(verdict(*inspect(host.context())), 2);
}

TEST(Inspection, KeepsWhatIsOursInTheFile) {
  FakeMachine host;
  const Record record{{{Sort::Setting, kPids}, "32768", "40000"}};
  const auto changes = wanted(host, record);
  const Change* const file = find(changes, {Sort::File, kSysctlFile});
  ASSERT_NE(file, nullptr);
  EXPECT_NE(file->wanted->find("kernel.pid_max = "), std::string::npos);
  EXPECT_EQ(find(changes, {Sort::Setting, kPids})->wanted, "4194304") << "as it is, which is enough";
}

TEST(Inspection, LeavesAloneWhatIsExcepted) {
  FakeMachine host;
  host.write(kYama, "2\n");
  host.profile.exceptions["kernel.yama"] = "no guests of strict here";
  EXPECT_EQ(find(wanted(host), {Sort::Setting, kYama}), nullptr);
  EXPECT_EQ(verdict(*inspect(host.context())), 0);
}

TEST(Inspection, RefusesAnExceptionThatIsNoCheck) {
  FakeMachine host;
  host.profile.exceptions["memory.swop"] = "x";
  EXPECT_THAT(inspect(host.context()), is_error(Kind::Invalid, "'memory.swop'"));
}

TEST(Inspection, StartsNothingWhileAPersonMustMendSomething) {
  FakeMachine host;
  const Place daemon{Sort::Running, "umlfarmd.service"};
  host.answers("systemctl is-active umlfarmd.service", "inactive\n", 3);
  EXPECT_NE(find(wanted(host), daemon), nullptr);
  host.write("/etc/passwd", "bob:x:2000001:100::/:/bin/sh\n");
  EXPECT_EQ(find(wanted(host), daemon), nullptr);
  EXPECT_NE(find(wanted(host, {{daemon, "inactive", "active"}}), daemon), nullptr)
      << "and stops nothing that runs";
}

TEST(Inspection, StartsWhatWillRunOnceTheRestIsMended) {
  FakeMachine host;
  const Place daemon{Sort::Running, "umlfarmd.service"};
  host.answers("systemctl is-active umlfarmd.service", "inactive\n", 3);
  host.write(kYama, "2\n");
  host.probes("strict", "yama it is 2\n", 1);
  auto changes = wanted(host);
  EXPECT_NE(find(changes, daemon), nullptr);
  std::erase_if(changes, [](const Change& change) { return change.place.name != kYama; });
  EXPECT_EQ(changes.size(), 1U) << "though two checks need it";
  // A kernel is given to a farm that runs.
  host.remove("/usr/lib/umlfarm");
  EXPECT_NE(find(wanted(host), daemon), nullptr);
}

TEST(Inspection, KeepsASettingThatOnlyHoldsUntilTheMachineStartsAgain) {
  FakeMachine host;
  host.write("/etc/sysctl.d/60-hardening.conf", "kernel.yama.ptrace_scope = 2\n");
  const Finding finding = host.finding("kernel.yama");
  EXPECT_EQ(finding.reason, "wrong-at-boot");
  const auto changes = wanted(host);
  EXPECT_NE(find(changes, {Sort::File, kSysctlFile}), nullptr);
  EXPECT_EQ(find(changes, {Sort::Setting, kYama}), nullptr) << "which is right now";
}

TEST(Inspection, SaysNothingInItsFileThatOthersSayWellEnough) {
  FakeMachine host;
  host.write("/proc/sys/kernel/kptr_restrict", "0\n");
  host.write("/etc/sysctl.d/60-hardening.conf", "kernel.kptr_restrict = 2\n");
  const auto changes = wanted(host);
  EXPECT_EQ(find(changes, {Sort::File, kSysctlFile}), nullptr);
  EXPECT_NE(find(changes, {Sort::Setting, "/proc/sys/kernel/kptr_restrict"}), nullptr);
}

TEST(Inspection, WantsTheSameAgainOnceItIsSo) {
  FakeMachine host;
  host.write("/sys/devices/system/cpu/smt/control", "on\n");
  const Place smt{Sort::Setting, "/sys/devices/system/cpu/smt/control"};
  ASSERT_NE(find(wanted(host), smt), nullptr);
  host.write(smt.name, "off\n");
  EXPECT_NE(find(wanted(host, {{smt, "on", "off"}}), smt), nullptr) << "else it would be put back to on";
}

TEST(Inspection, GivesTheWorstAsItsVerdict) {
  FakeMachine host;
  host.write("/proc/sys/kernel/dmesg_restrict", "0\n");
  EXPECT_EQ(verdict(*inspect(host.context())), 1);
}

TEST(Inspection, MakesADirectoryForAFileThatHasNone) {
  FakeMachine host;
  host.remove("/etc/sysctl.d");
  host.write(kYama, "2\n");
  EXPECT_NE(find(wanted(host), {Sort::Directory, "/etc/sysctl.d"}), nullptr);
}

}  // namespace
}  // namespace umlfarm::hostsetup
