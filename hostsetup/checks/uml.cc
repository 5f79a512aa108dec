// Whether guests run here: found out by running one, before anything is believed of settings.
#include "hostsetup/check.h"

namespace umlfarm::hostsetup {
namespace {

// Of the package, of a build that was installed, or of what the farm was given.
std::string find_kernel(const Machine& machine, const std::string& flavour) {
  for (const char* directory : {"/usr/lib/umlfarm/kernels/", "/usr/local/lib/umlfarm/kernels/"}) {
    const std::string path = directory + flavour + "/linux";
    if (machine.has(path)) return machine.at(path);
  }
  const std::string of_farm = "/var/lib/umlfarm/kernels/";
  for (const std::string& digest : machine.names(of_farm)) {
    // Others may have given it to the farm: it is looked into here, and run only in a jail.
    const std::string path = of_farm + digest + "/linux";
    if (machine.text(path).value_or("").find("-umlfarm-" + flavour) != std::string::npos)
      return machine.at(path);
  }
  return {};
}

Finding inspect(const Context& context, const std::string& flavour) {
  const std::string should = "a guest that runs";
  const std::string kernel = find_kernel(context.machine, flavour);
  if (kernel.empty()) {
    return {"no kernel to try", should, "not-installed",
            "install umlfarm-kernel, or add one to the farm with 'umlfarm kernel add'"};
  }
  std::vector<std::string> probe{
      "umlfarm-probe", "--uid", std::to_string(context.farm.guests.first_uid + context.farm.guests.uids - 1)};
  if (flavour == "fast") probe.emplace_back("--seccomp");
  probe.push_back(kernel);
  const auto finished = context.machine.ask(probe);
  if (!finished) {
    return {"no probe", should, "not-installed", "install umlfarm-hostsetup with umlfarm-probe"};
  }
  const std::string line = finished->output.substr(0, finished->output.find('\n'));
  const std::size_t space = line.find(' ');
  const std::string reason = line.substr(0, space);
  const std::string words = space == std::string::npos ? "" : line.substr(space + 1);
  if (reason == "ok" && finished->exit_code == 0) return holds(words, should);
  // What the program says of itself, such as that it needs root.
  if (reason.ends_with(':')) return {"not tried", should, "not-tried", words};
  if (reason.empty() || reason == "ok") {
    return {"none", should, "crashed",
            "umlfarm-probe ended with code " + std::to_string(finished->exit_code) + ": run it by hand"};
  }
  Finding finding{"none", should, reason, words};
  // What keeps it from running may be what apply mends.
  if (reason == "yama" && context.machine.setting(kYamaNeed.setting) != "3") finding.needs = {kYamaNeed};
  if (reason == "memfd") finding.needs = {kMemfdNeed};
  return finding;
}

}  // namespace

std::vector<Check> uml_checks() {
  return {
      {"uml.strict", Severity::Must,
       "a guest with kernel strict runs, in a jail, with and without wide registers",
       "all else is for its sake. It needs no patch of the host's kernel: the tt mode and the skas3 patch "
       "that older "
       "books tell of are long gone, and what is left is called skas0, by ptrace",
       "umlfarm-probe(8)", [](const Context& context) { return inspect(context, "strict"); }},
      {"uml.fast", Severity::Should, "so does one with kernel fast",
       "its processes are run by seccomp, which other things can be in the way of", "umlfarm-probe(8)",
       [](const Context& context) { return inspect(context, "fast"); }},
  };
}

}  // namespace umlfarm::hostsetup
