#include "tests/hostsetup/fake_machine.h"

#include <boost/algorithm/string/join.hpp>
#include <fstream>

#include "provisioner/base/posix.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::hostsetup {

FakeMachine::FakeMachine()
    : machine_(directory_.path(), [this](const std::vector<std::string>& arguments) -> Result<Finished> {
        const std::string command = boost::algorithm::join(arguments, " ");
        ran_.push_back(command);
        const auto known = programs_.find(command);
        return known == programs_.end() ? Finished{127, "sh: not found\n"} : known->second;
      }) {
  profile.name = "vps";
  profile.guests = 100;
  for (const auto& [path, text] : std::map<std::string, std::string>{
           {"/proc/sys/kernel/yama/ptrace_scope", "0"},
           {"/proc/sys/vm/memfd_noexec", "0"},
           {"/proc/sys/kernel/dmesg_restrict", "1"},
           {"/proc/sys/kernel/kptr_restrict", "1"},
           {"/proc/sys/kernel/unprivileged_bpf_disabled", "2"},
           {"/proc/sys/kernel/perf_event_paranoid", "3"},
           {"/proc/sys/kernel/randomize_va_space", "2"},
           {"/proc/sys/fs/suid_dumpable", "0"},
           {"/proc/sys/fs/protected_symlinks", "1"},
           {"/sys/devices/system/cpu/vulnerabilities/meltdown", "Not affected"},
           {"/sys/devices/system/cpu/vulnerabilities/spectre_v2", "Mitigation: Retpolines"},
           {"/sys/devices/system/cpu/smt/control", "off"},
           {"/proc/cmdline", "BOOT_IMAGE=/boot/vmlinuz root=/dev/vda ro quiet"},
           {"/proc/meminfo", "MemTotal:        8000000 kB\nMemFree:  1 kB"},
           {"/proc/swaps", "Filename Type Size Used Priority"},
           {"/proc/sys/vm/max_map_count", "2000000"},
           {"/proc/sys/vm/overcommit_memory", "0"},
           {"/sys/kernel/mm/ksm/run", "0"},
           {"/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never"},
           {"/proc/sys/kernel/pid_max", "4194304"},
           {"/proc/sys/kernel/threads-max", "4194304"},
           {"/proc/sys/net/unix/max_dgram_qlen", "512"},
           {"/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids"},
           {"/etc/passwd", "root:x:0:0::/root:/bin/bash\nnobody:x:65534:65534::/:/bin/false"},
           {"/etc/subuid", "alice:100000:65536"},
           {"/proc/self/mountinfo", "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,prjquota"},
           {"/sys/class/misc/tun/dev", "10:200"},
           {"/proc/net/route",
            "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
            "eth0\t00000000\t0102000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
            "eth0\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0"},
           {"/proc/sys/net/ipv4/ip_forward", "0"},
           {"/proc/sys/net/ipv4/neigh/default/gc_thresh3", "8192"},
           {"/proc/sys/net/ipv6/neigh/default/gc_thresh3", "8192"},
           {"/usr/lib/umlfarm/kernels/strict/linux", ""},
           {"/usr/lib/umlfarm/kernels/fast/linux", ""},
           {"/run/systemd/system/x", ""},
           {"/etc/sysctl.d/README.sysctl", "words"},
           {"/etc/tmpfiles.d/x", ""}}) {
    write(path, text + "\n");
  }
  for (const auto& [path, mode] : {std::pair{"/etc/umlfarm", 0755U}, {"/var/lib/umlfarm", 0711U}}) {
    EXPECT_THAT(posix::make_directories(machine_.at(path), mode), testing::is_ok());
    EXPECT_EQ(::chmod(machine_.at(path).c_str(), mode), 0);
  }
  probes("strict", "ok it runs\n");
  probes("fast", "ok it runs\n");
  answers("systemctl is-enabled umlfarmd.service", "enabled\n");
  answers("systemctl is-active umlfarmd.service", "active\n");
  answers("systemctl is-active systemd-timesyncd", "active\n");
  write("/etc/systemd/system/umlfarm.slice.d/umlfarm.conf",
        "# By umlfarm-hostsetup, which replaces this file: what is left is the machine's own.\n"
        "[Slice]\nMemoryMax=96.72%\n");
  answers("systemctl is-active umlfarm.slice", "active\n");
  answers("systemd-analyze security --no-pager umlfarmd.service",
          "  NAME  DESCRIPTION\n\n→ Overall exposure level for umlfarmd.service: 8.4 EXPOSED\n");
  answers("systemd-analyze cat-config systemd/journald.conf",
          "# /etc/systemd/journald.conf\n[Journal]\n#RateLimitBurst=10000\n");
}

void FakeMachine::write(const std::string& path, const std::string& text) {
  const std::string full = machine_.at(path);
  ASSERT_THAT(posix::make_directories(full.substr(0, full.rfind('/')), 0755), testing::is_ok());
  std::ofstream file(full);
  file << text;
  ASSERT_TRUE(file.flush()) << full;
}

void FakeMachine::remove(const std::string& path) {
  ASSERT_THAT(posix::remove_tree(machine_.at(path)), testing::is_ok());
}

std::string FakeMachine::read(const std::string& path) const {
  return machine_.text(path).value_or("(missing)");
}

void FakeMachine::probes(const std::string& flavour, const std::string& output, int code) {
  answers("umlfarm-probe --uid 2059999 " + std::string(flavour == "fast" ? "--seccomp " : "") +
              machine_.at("/usr/lib/umlfarm/kernels/" + flavour + "/linux"),
          output, code);
}

void FakeMachine::answers(const std::string& command, const std::string& output, int code) {
  programs_[command] = {code, output};
}

Finding FakeMachine::finding(const std::string& check) const {
  for (const Check& known : all_checks()) {
    if (known.name == check) return known.inspect(context());
  }
  ADD_FAILURE() << "no check " << check;
  return {};
}

}  // namespace umlfarm::hostsetup
