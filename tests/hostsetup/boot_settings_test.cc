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

TEST(BootSettings, AreOverriddenByLaterFilesThatSayOtherwise) {
  const struct {
    const char* file;
    const char* text;
    const char* found;
  } rows[] = {
      {"/etc/sysctl.d/99-zz.conf", "kernel.pid_max=40000", "/etc/sysctl.d/99-zz.conf:1"},
      {"/etc/sysctl.d/99-zz.conf", "# x\n\n kernel/pid_max = 40000 ", "/etc/sysctl.d/99-zz.conf:3"},
      {"/usr/lib/sysctl.d/zz.conf", "-kernel.pid_max = 1", "/usr/lib/sysctl.d/zz.conf:1"},
      {"/etc/sysctl.d/99-zz.conf", "kernel.pid_max=40000\nkernel.pid_max=60000", ""},
      {"/etc/sysctl.d/99-zz.conf", "kernel.pid_max=60000", ""},
      {"/etc/sysctl.d/99-zz.conf", "#kernel.pid_max=1\n;kernel.pid_max=1", ""},
      {"/etc/sysctl.d/10-early.conf", "kernel.pid_max=1", ""},
      {"/etc/sysctl.d/99-zz.disabled", "kernel.pid_max=1", ""},
      {"/etc/sysctl.d/99-zz.conf", "kernel.pid_max_other=1", ""},
  };
  for (const auto& row : rows) {
    FakeMachine host;
    host.write(row.file, row.text);
    EXPECT_EQ(overridden_at_boot(host.machine(), kPids).value_or(""), row.found)
        << row.file << ": " << row.text;
  }
}

TEST(BootSettings, InEtcHideThoseOfTheSameName) {
  FakeMachine host;
  host.write("/usr/lib/sysctl.d/zz.conf", "kernel.pid_max = 1");
  host.write("/etc/sysctl.d/zz.conf", "");
  EXPECT_FALSE(overridden_at_boot(host.machine(), kPids));
}

}  // namespace
}  // namespace umlfarm::hostsetup
