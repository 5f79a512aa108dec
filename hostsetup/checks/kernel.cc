// What the kernel lets processes do: what guests need of it, and what nobody needs.
#include "hostsetup/check.h"

namespace umlfarm::hostsetup {
namespace {

constexpr const char* kProtections = "Debian's and CIS's hardening guides; proc_sys_kernel(5)";

Finding inspect_yama(const Context& context) {
  Finding finding = inspect_setting(context, kYamaNeed);
  if (finding.is != "3") return finding;
  finding.reason = "locked";
  finding.advice =
      "nothing can lower it from 3 until the machine starts again: find what sets it with 'grep -r "
      "ptrace_scope "
      "/etc/sysctl.conf /etc/sysctl.d /usr/lib/sysctl.d', set it to 1 there, and restart the machine";
  finding.needs.clear();
  return finding;
}

Check guarded(const char* name, const char* title, const char* why, const Need& need) {
  return setting_check({name, Severity::Should, title, why, kProtections, {}}, need);
}

}  // namespace

std::vector<Check> kernel_checks() {
  return {
      {"kernel.yama", Severity::Must, "processes may trace their own children",
       "a guest's kernel of flavour strict runs the guest's processes by ptrace; at 2 that wants a "
       "capability which no "
       "guest has, at 3 nobody may",
       "Documentation/admin-guide/LSM/Yama.rst; seen: no guest starts at 2 or 3", inspect_yama},
      setting_check(
          {"kernel.memfd",
           Severity::Should,
           "files in memory may be executable",
           "at 2 a guest's kernel of flavour fast cannot have the page that its processes run from in a file "
           "in memory, and takes a slower way",
           "proc_sys_vm(5), vm.memfd_noexec",
           {}},
          kMemfdNeed),
      guarded("kernel.dmesg", "the kernel's log is root's",
              "it tells addresses and what other tenants' guests ran into",
              {"/proc/sys/kernel/dmesg_restrict", Rule::AtLeast, "1"}),
      guarded("kernel.pointers", "addresses of the kernel are not shown",
              "a tenant who has broken out of a guest's kernel needs them to attack the host's",
              {"/proc/sys/kernel/kptr_restrict", Rule::AtLeast, "1"}),
      guarded("kernel.bpf", "only root loads BPF programs",
              "its verifier has been the way into many kernels; guests are kept from it by their filter, "
              "other users "
              "are not",
              // From 1 nothing leads back before the machine starts again.
              {"/proc/sys/kernel/unprivileged_bpf_disabled", Rule::AtLeast, "1", "2"}),
      guarded("kernel.perf", "only root measures the kernel",
              "performance events tell what other processes do",
              {"/proc/sys/kernel/perf_event_paranoid", Rule::AtLeast, "2"}),
      guarded("kernel.randomised", "addresses are random",
              "daemon and supervisors are harder to attack so; guests' kernels, which must not have it, turn "
              "it off "
              "for themselves",
              {"/proc/sys/kernel/randomize_va_space", Rule::AtLeast, "2"}),
      guarded("kernel.core-dumps", "programs that gave up privileges leave no core",
              "a supervisor's core would hold what guests have typed",
              {"/proc/sys/fs/suid_dumpable", Rule::Exactly, "0"}),
      guarded("kernel.links", "links in shared directories are not followed for others",
              "users of the machine beside guests can else lead its services astray",
              {"/proc/sys/fs/protected_symlinks", Rule::AtLeast, "1"}),
  };
}

}  // namespace umlfarm::hostsetup
