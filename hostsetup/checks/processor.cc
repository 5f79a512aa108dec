// Tenants on one processor.
#include <boost/algorithm/string/join.hpp>

#include "hostsetup/check.h"

namespace umlfarm::hostsetup {
namespace {

constexpr const char* kFaults = "/sys/devices/system/cpu/vulnerabilities";
constexpr const char* kSmt = "/sys/devices/system/cpu/smt/control";
constexpr const char* kGuide = "Documentation/admin-guide/hw-vuln/";

Finding inspect_faults(const Context& context) {
  std::vector<std::string> open;
  for (const std::string& fault : context.machine.names(kFaults)) {
    const auto is = context.machine.setting(std::string(kFaults) + "/" + fault);
    if (is && is->starts_with("Vulnerable")) open.push_back(fault);
  }
  Finding finding = holds(open.empty() ? "none" : boost::algorithm::join(open, ", "), "none");
  if (open.empty()) return finding;
  finding.reason = "open";
  finding.advice =
      "install the processor's microcode (packages intel-microcode or amd64-microcode) and restart the "
      "machine; what "
      "stays open this processor or kernel cannot close: 'grep . /sys/devices/system/cpu/vulnerabilities/*' "
      "says more";
  return finding;
}

Finding inspect_command_line(const Context& context) {
  const std::string line = " " + context.machine.setting("/proc/cmdline").value_or("") + " ";
  for (const char* weak :
       {" mitigations=off ", " nospectre_v2 ", " nopti ", " spectre_v2=off ", " nosmep ", " nosmap "}) {
    if (line.find(weak) == std::string::npos) continue;
    const std::string word(weak + 1, std::char_traits<char>::length(weak) - 2);
    return {
        word, "mitigations on", "weakened",
        "take '" + word +
            "' out of GRUB_CMDLINE_LINUX in /etc/default/grub, run 'update-grub' and restart the machine"};
  }
  return holds("nothing of the kind", "nothing of the kind");
}

Finding inspect_smt(const Context& context) {
  const std::string is = context.machine.setting(kSmt).value_or("not in this kernel");
  if (context.profile.smt) return holds(is, "as it is");
  if (is.starts_with("not") || is.starts_with("force")) return holds(is, "off");
  Finding finding = inspect_setting(context, {kSmt, Rule::Exactly, "off"});
  if (!finding.advice.empty()) {
    finding.advice +=
        std::string("; it halves the number of processors. Where tenants trust each other that much, set ") +
        "smt = true in " + kHostFile;
  }
  return finding;
}

}  // namespace

std::vector<Check> processor_checks() {
  return {
      {"processor.faults", Severity::Should, "no known fault of the processor is open",
       "through such a fault a guest reads memory of the host and of other guests", kGuide, inspect_faults},
      {"processor.command-line", Severity::Should, "the kernel's command line turns no protection off",
       "a guest runs whatever its tenant likes", "Documentation/admin-guide/kernel-parameters.txt",
       inspect_command_line},
      {"processor.smt", Severity::Should, "two guests never share a core",
       "the two threads of a core share its caches and buffers: faults such as L1TF and MDS leak between "
       "them. Core scheduling would keep guests apart and both threads at work, but Debian 12 builds its "
       "kernels "
       "without CONFIG_SCHED_CORE",
       kGuide, inspect_smt},
  };
}

}  // namespace umlfarm::hostsetup
