#include "hostsetup/boot_settings.h"

#include "tests/hostsetup/fake_machine.h"

namespace umlfarm::hostsetup {
namespace {

const Need kPids{"/proc/sys/kernel/pid_max", Rule::AtLeast, "50000"};
const Need kPages{"/sys/kernel/mm/transparent_hugepage/enabled", Rule::Exactly, "madvise"};

TEST(BootSettings, AreWrittenAsSystemdReadsThem) {
  const std::string sysctls = sysctl_file({kPids, kPages});
  EXPECT_TRUE(sysctls.ends_with("\nkernel.pid_max = 50000\n")) << sysctls;
  EXPECT_EQ(sysctls.find("huge"), std::string::npos);
  const std::string tmpfiles = tmpfiles_file({kPids, kPages});
  EXPECT_TRUE(tmpfiles.ends_with("\nw /sys/kernel/mm/transparent_hugepage/enabled - - - - madvise\n"))
      << tmpfiles;
  EXPECT_EQ(sysctl_file({kPages}), "");
  EXPECT_EQ(tmpfiles_file({kPids}), "");
}

TEST(BootSettings, AreWrittenAsTheyAreToBePut) {
  EXPECT_NE(sysctl_file({{"/proc/sys/kernel/x", Rule::AtLeast, "1", "2"}}).find("kernel.x = 2\n"),
            std::string::npos);
}

TEST(BootSettings, AreTheLastThatAFileSays) {
  const struct {
    const char* file;
    const char* text;
    const char* value;
    const char* where;
  } rows[] = {
      {"/etc/sysctl.d/99-zz.conf", "kernel.pid_max=40000", "40000", "/etc/sysctl.d/99-zz.conf:1"},
      {"/etc/sysctl.d/99-zz.conf", "# x\n\n kernel/pid_max = 40000 ", "40000", "/etc/sysctl.d/99-zz.conf:3"},
      {"/usr/lib/sysctl.d/zz.conf", "-kernel.pid_max = 1", "1", "/usr/lib/sysctl.d/zz.conf:1"},
      {"/etc/sysctl.d/99-zz.conf", "kernel.pid_max=4\nkernel.pid_max=6", "6", "/etc/sysctl.d/99-zz.conf:2"},
      {"/etc/sysctl.d/10-early.conf", "kernel.pid_max=1", "1", "/etc/sysctl.d/10-early.conf:1"},
      {"/etc/sysctl.d/99-zz.conf", "#kernel.pid_max=1\n;kernel.pid_max=1", "", ""},
      {"/etc/sysctl.d/99-zz.disabled", "kernel.pid_max=1", "", ""},
      {"/etc/sysctl.d/99-zz.conf", "kernel.pid_max_other=1", "", ""},
  };
  for (const auto& row : rows) {
    FakeMachine host;
    host.write(row.file, row.text);
    const BootValue found = value_at_boot(host.machine(), kPids.setting, true).value_or(BootValue());
    EXPECT_EQ(found.value, row.value) << row.file << ": " << row.text;
    EXPECT_EQ(found.where, row.where);
    EXPECT_EQ(found.behind_ours, std::string(row.where).find("zz") != std::string::npos);
  }
}

TEST(BootSettings, InEtcHideThoseOfTheSameName) {
  FakeMachine host;
  host.write("/usr/lib/sysctl.d/zz.conf", "kernel.pid_max = 1");
  host.write("/etc/sysctl.d/zz.conf", "");
  EXPECT_FALSE(value_at_boot(host.machine(), kPids.setting, true));
}

TEST(BootSettings, AreAskedForWithAndWithoutOurs) {
  FakeMachine host;
  host.write("/etc/sysctl.d/60-theirs.conf", "kernel.pid_max = 1");
  host.write(kSysctlFile, "kernel.pid_max = 50000");
  EXPECT_EQ(value_at_boot(host.machine(), kPids.setting, true)->value, "50000");
  EXPECT_EQ(value_at_boot(host.machine(), kPids.setting, false)->value, "1");
}

}  // namespace
}  // namespace umlfarm::hostsetup
