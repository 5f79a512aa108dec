// Control groups, by which guests' limits are held.
#include <algorithm>
#include <boost/algorithm/string/classification.hpp>
#include <boost/algorithm/string/split.hpp>

#include "hostsetup/check.h"

namespace umlfarm::hostsetup {
namespace {

using Words = std::vector<std::string>;

Words words_of(const std::string& text, const char* separators = " \n") {
  Words words;
  boost::split(words, text, boost::is_any_of(separators), boost::token_compress_on);
  return words;
}

bool among(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// "v2", "v1", or empty.
std::string offered(const Machine& machine, const std::string& controller) {
  // Beside v1 hierarchies, v2 is mounted at "unified".
  for (const char* path :
       {"/sys/fs/cgroup/cgroup.controllers", "/sys/fs/cgroup/unified/cgroup.controllers"}) {
    if (among(words_of(machine.text(path).value_or("")), controller)) return "v2";
  }
  for (const std::string& line : words_of(machine.text("/proc/self/mounts").value_or(""), "\n")) {
    const Words fields = words_of(line, " ");
    if (fields.size() > 3 && fields[2] == "cgroup" && among(words_of(fields[3], ","), controller))
      return "v1";
  }
  return {};
}

bool known_to_kernel(const Machine& machine, const std::string& controller) {
  return ("\n" + machine.text("/proc/cgroups").value_or("")).find("\n" + controller + "\t") !=
         std::string::npos;
}

Finding inspect(const Context& context, const std::string& controller) {
  const std::string is = offered(context.machine, controller);
  if (!is.empty()) return holds(is, "v2 or v1");
  Finding finding{"none", "v2 or v1", "missing", {}};
  const std::string line = " " + context.machine.setting("/proc/cmdline").value_or("") + " ";
  if (line.find(" cgroup_disable=" + controller) != std::string::npos) {
    finding.reason = "disabled";
    finding.advice =
        "take 'cgroup_disable=" + controller +
        "' out of GRUB_CMDLINE_LINUX in /etc/default/grub, run 'update-grub' and restart the machine";
  } else if (known_to_kernel(context.machine, controller)) {
    finding.reason = "not-mounted";
    finding.advice =
        "the kernel has it and no hierarchy is mounted with it: start the machine with systemd, or run "
        "'mkdir "
        "-p /sys/fs/cgroup/" +
        controller + " && mount -t cgroup -o " + controller + " " + controller + " /sys/fs/cgroup/" +
        controller + "'";
  } else {
    finding.advice =
        "this kernel lacks the controller '" + controller +
        "': boot one that has it, such as Debian's linux-image-amd64; in a container, have it delegated";
  }
  return finding;
}

Check controller(const char* name, Severity severity, const char* why) {
  const std::string word(name);
  return {"cgroup." + word,
          severity,
          "control groups limit " + word,
          why,
          "cgroups(7); Documentation/admin-guide/cgroup-v2.rst",
          [word](const Context& context) { return inspect(context, word); }};
}

}  // namespace

std::vector<Check> cgroup_checks() {
  return {
      controller(
          "memory", Severity::Must,
          "the tmpfs holds a guest's own memory; what the host's kernel spends on it is held by this alone"),
      controller("pids", Severity::Must,
                 "a guest that forks without end must hit its own limit and not the machine's"),
      controller("cpu", Severity::Should, "what a guest has used of the processors is counted by it"),
  };
}

}  // namespace umlfarm::hostsetup
