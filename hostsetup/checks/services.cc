// What runs beside guests.
#include "hostsetup/check.h"

namespace umlfarm::hostsetup {
namespace {

constexpr const char* kDaemon = "umlfarmd.service";

bool has_systemd(const Machine& machine) { return machine.has("/run/systemd/system"); }

Finding inspect_daemon(const Context& context) {
  const std::string should = "enabled and active";
  if (!has_systemd(context.machine)) {
    return {"no systemd", should, "no-systemd",
            "start umlfarmd by what starts services on this machine, and say so: [exceptions] "
            "\"services.daemon\" = "
            "\"...\" in " +
                std::string(kHostFile)};
  }
  const Place at_boot{Sort::Enabled, kDaemon};
  const Place now{Sort::Running, kDaemon};
  const Standing enabled = look(context.machine, at_boot).value_or(Standing());
  const Standing running = look(context.machine, now).value_or(Standing());
  if (!enabled) {
    return {"not installed", should, "not-installed",
            "install umlfarm, then run 'umlfarm-hostsetup apply' again"};
  }
  const std::string is = *enabled + " and " + running.value_or("unknown");
  if (enabled->starts_with("masked")) {
    return {is, should, "masked",
            "somebody decided that it must not run: 'systemctl unmask umlfarmd' undoes that"};
  }
  Finding finding = holds(is, should);
  finding.changes = {{at_boot, "enabled"}, {now, "active"}};
  if (enabled == "enabled" && running == "active") return finding;
  finding.reason = "not-running";
  finding.advice = std::string(kApplyMends) + "; where that fails, 'journalctl -u umlfarmd' says why";
  return finding;
}

Finding inspect_time(const Context& context) {
  for (const char* unit : {"systemd-timesyncd", "chrony", "ntpsec", "ntp", "openntpd"}) {
    if (context.machine.answer({"systemctl", "is-active", unit}) == "active")
      return holds(unit, "a running service");
  }
  return {"none", "a running service", "none",
          "run 'apt-get install systemd-timesyncd && systemctl enable --now systemd-timesyncd'; where the "
          "host's host keeps the time, "
          "say so: [exceptions] \"services.time\" = \"...\" in " +
              std::string(kHostFile)};
}

Finding inspect_directory(const Context& context, const std::string& path, const std::string& wanted) {
  const Place place{Sort::Directory, path};
  const auto is = look(context.machine, place);
  if (!is) return {is.error().message(), wanted, "not-a-directory", "move what is at " + path + " away"};
  Finding finding{is->value_or("missing"), wanted, {}, {}, {}, {{place, wanted}}};
  if (*is == wanted) return finding;
  finding.reason = *is ? "wrong-mode" : "missing";
  finding.advice = kApplyMends;
  return finding;
}

Check directory(const char* name, const char* path, const char* wanted, const char* why) {
  return {name,
          Severity::Must,
          std::string(path) + " is root's",
          why,
          "umlfarmd(8), files",
          [path = std::string(path), wanted = std::string(wanted)](const Context& context) {
            return inspect_directory(context, path, wanted);
          }};
}

}  // namespace

std::vector<Check> service_checks() {
  return {
      directory("services.configuration", "/etc/umlfarm", "0755 0:0",
                "who may write there decides who rules all guests"),
      directory("services.state", "/var/lib/umlfarm", "0711 0:0",
                "guests' users must pass it to reach their disks, and nobody may look around"),
      {"services.daemon", Severity::Must, "umlfarmd runs, and starts with the machine",
       "it starts guests again that were running when the machine went down", "umlfarmd(8)", inspect_daemon},
      {"services.time", Severity::Should, "the clock is set from the network",
       "guests take their clock from the host's when they start", "systemd-timesyncd(8)", inspect_time},
  };
}

}  // namespace umlfarm::hostsetup
