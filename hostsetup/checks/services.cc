// What runs beside guests.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <sstream>

#include "hostsetup/check.h"

namespace umlfarm::hostsetup {
namespace {

constexpr const char* kDaemon = "umlfarmd.service";
constexpr const char* kSliceFile = "/etc/systemd/system/umlfarm.slice.d/umlfarm.conf";
// What our unit has: docs/security.md says what it does without, and why.
constexpr const char* kExposure = "8.4";

Finding inspect_daemon(const Context& context) {
  const std::string should = "enabled and active";
  if (!context.machine.has(kSystemd)) {
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

Finding without_systemd() { return holds("no systemd", "as it is"); }

// Of the reserve, guests get as much as the kernel and the daemon may spend on them beside their memory.
std::uint64_t slice_limit(const Context& context) {
  const std::uint64_t total = of_meminfo(context.machine, "MemTotal").bytes();
  const std::uint64_t kept = context.farm.capacity.memory_reserve.bytes() / 2;
  return total > kept ? total - kept : 0;
}

// In percent, which a kernel that has a little more or less for itself does not change.
std::string slice_file(const Context& context) {
  const std::uint64_t total = of_meminfo(context.machine, "MemTotal").bytes();
  const std::uint64_t share = total == 0 ? 0 : slice_limit(context) / (total / 10'000 + 1);
  const std::string cents = std::to_string(share % 100);
  return "# By umlfarm-hostsetup, which replaces this file: what is left is the machine's "
         "own.\n[Slice]\nMemoryMax=" +
         std::to_string(share / 100) + (cents.size() < 2 ? ".0" : ".") + cents + "%\n";
}

Finding inspect_slice(const Context& context) {
  const Place running{Sort::Running, "umlfarm.slice"};
  const Standing state = look(context.machine, running).value_or(Standing());
  if (!context.machine.has(kSystemd) || !state) return without_systemd();
  const Change limit{{Sort::File, kSliceFile}, file_standing(slice_file(context))};
  const Standing is = look(context.machine, limit.place).value_or(Standing());
  const bool runs = state == "active";
  const bool limited = is == limit.wanted;
  Finding finding =
      holds(limited ? runs ? "active, limited" : "not active" : "not limited", "active, limited");
  const std::uint64_t used =
      number_of(context.machine.setting("/sys/fs/cgroup/umlfarm.slice/memory.current").value_or("0"));
  if (!limited && used >= slice_limit(context)) {
    finding.reason = "too-full";
    finding.advice =
        "guests have more memory than the limit would leave them, and some would be killed: lower "
        "memory_reserve in [capacity] of /etc/umlfarm/umlfarm.toml, or stop guests first";
    return finding;
  }
  finding.changes = {limit, {running, "active"}};
  if (limited && runs) return finding;
  finding.reason = limited ? "not-active" : "not-limited";
  finding.advice = kApplyMends;
  return finding;
}

Finding inspect_hardening(const Context& context) {
  if (!context.machine.has(kSystemd)) return without_systemd();
  const std::string should = "at most " + std::string(kExposure);
  const auto said = context.machine.ask({"systemd-analyze", "security", "--no-pager", kDaemon});
  const std::string words = "Overall exposure level for umlfarmd.service: ";
  const std::size_t at = said ? said->output.find(words) : std::string::npos;
  if (at == std::string::npos) return holds("not installed", should);
  const std::string is = said->output.substr(at + words.size(), 3);
  Finding finding = holds(is, should);
  if (std::strtod(is.c_str(), nullptr) <= std::strtod(kExposure, nullptr)) return finding;
  finding.reason = "weakened";
  finding.advice =
      "'systemctl cat umlfarmd' shows the file that takes a protection away: remove it, and run 'systemctl "
      "daemon-reload && systemctl restart umlfarmd'";
  return finding;
}

Finding inspect_journal(const Context& context) {
  if (!context.machine.has(kSystemd)) return without_systemd();
  const auto said = context.machine.ask({"systemd-analyze", "cat-config", "systemd/journald.conf"});
  std::istringstream lines(said ? said->output : std::string());
  std::string file;
  std::map<std::string, std::string> unlimited;  // key -> file
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# /")) file = line.substr(2);
    for (const std::string key : {"RateLimitIntervalSec", "RateLimitBurst"}) {
      if (!line.starts_with(key + "=")) continue;
      unlimited.erase(key);
      if (line.substr(key.size() + 1).find_first_not_of("0s") == std::string::npos) unlimited[key] = file;
    }
  }
  if (unlimited.empty()) return holds("limited", "limited");
  const auto& [key, where] = *unlimited.begin();
  return {key + " is 0", "limited", "unlimited",
          "take " + key + " out of " + where + ", and run 'systemctl restart systemd-journald'"};
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
      {"services.slice", Severity::Should, "guests are in a slice that leaves memory to the machine",
       "each guest is limited by itself; that all together leave the machine what it needs, and have ten "
       "times "
       "the weight of all its services on the processors, is what a slice is for",
       "systemd.slice(5); umlfarm.toml(5), memory_reserve", inspect_slice},
      {"services.daemon", Severity::Must, "umlfarmd runs, and starts with the machine",
       "it starts guests again that were running when the machine went down", "umlfarmd(8)", inspect_daemon},
      {"services.hardening", Severity::Should, "umlfarmd runs with the protections that it came with",
       "a line in a drop-in takes one away for good, and nothing else shows it",
       "systemd-analyze(1), security; systemd.exec(5)", inspect_hardening},
      {"services.journal", Severity::Should, "the journal takes no more of one service than it can bear",
       "the daemon writes a line for what happens to guests, and guests can make much happen",
       "journald.conf(5), RateLimitBurst", inspect_journal},
      {"services.time", Severity::Should, "the clock is set from the network",
       "guests take their clock from the host's when they start", "systemd-timesyncd(8)", inspect_time},
  };
}

}  // namespace umlfarm::hostsetup
