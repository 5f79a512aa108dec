// The host's eye on guests' processes, and what guests say of themselves.
#include <unistd.h>

#include "provisioner/base/clock.h"
#include "provisioner/base/posix.h"
#include "provisioner/daemon/farm.h"

namespace umlfarm::daemon {
namespace {

constexpr double kNsPerMs = 1e6;

std::map<int, std::uint64_t> ticks_of_all(const std::vector<pid_t>& processes) {
  std::map<int, std::uint64_t> all;
  for (const pid_t process : processes) {
    const auto stat = posix::read_file("/proc/" + std::to_string(process) + "/stat");
    const auto ticks = stat ? quota::ticks_of(*stat) : std::nullopt;
    if (ticks) all[process] = *ticks;
  }
  return all;
}

}  // namespace

void Farm::watch_processes() {
  const quota::WatchRules& rules = settings_.config.watch;
  const std::int64_t now = monotonic_ms();
  std::map<std::string, Processes> processes;
  std::map<std::string, Guest> guests;
  std::vector<quota::GuestProcesses> looked;
  for (const Guest& guest : table_.all()) {
    if (!guest.live.supervised) continue;
    const std::string id = guest.record.id();
    const std::uint64_t cpu_ns = cgroups_.cpu_ns(id);
    const auto last = processes_seen_.find(id);
    Processes& seen = processes[id] = {cpu_ns, now, {}};
    quota::GuestProcesses look{
        id, cgroups_.usage(id, "pids").processes, quota::group_processes(guest.record.limits), {}};
    if (last != processes_seen_.end() && now > last->second.at_ms && cpu_ns >= last->second.cpu_ns) {
      const auto passed = static_cast<double>(now - last->second.at_ms);
      // No process of a guest that took less took more: theirs are not looked at.
      const double taken = static_cast<double>(cpu_ns - last->second.cpu_ns) / kNsPerMs / passed;
      if (rules.busy_percent != 0 && taken * 100 >= rules.busy_percent) {
        seen.ticks = ticks_of_all(cgroups_.threads(id));
        const double ms_per_tick = 1000.0 / static_cast<double>(::sysconf(_SC_CLK_TCK));
        // Without an earlier look all that they ever took would count.
        if (!last->second.ticks.empty()) {
          look.busiest =
              static_cast<double>(quota::most_gained(last->second.ticks, seen.ticks)) * ms_per_tick / passed;
        }
      }
    }
    table_.update_live(guest.record.number, [&](Live& live) { live.busiest = look.busiest; });
    looked.push_back(look);
    guests.emplace(id, guest);
  }
  processes_seen_ = std::move(processes);
  for (const quota::Warning& warning : watch_.look(looked, now))
    event(guests.at(warning.id).record.name, warning.kind, warning.message);
}

Result<quota::Inside> Farm::ask_inside(const GuestRecord& record) const {
  UMLFARM_ASSIGN(const std::string load, ask_kernel(record, "proc loadavg"));
  UMLFARM_ASSIGN(const std::string memory, ask_kernel(record, "proc meminfo"));
  UMLFARM_ASSIGN(const std::string uptime, ask_kernel(record, "proc uptime"));
  return quota::read_inside(load, memory, uptime);
}

Result<quota::Inside> Farm::inside(const std::string& name) {
  UMLFARM_ASSIGN(const Guest guest, table_.find(name));
  if (!guest.live.supervised)
    return Error(Kind::Unavailable, "guest '" + name + "' does not run; start it first");
  return ask_inside(guest.record);
}

void Farm::sample_insides() {
  using State = guest::SupervisorStatus::State;
  for (const Guest& guest : table_.all()) {
    // One that does not answer its supervisor has no time for this either.
    if (!guest.live.supervised || guest.live.status.state != State::Ready) continue;
    const auto sample = ask_inside(guest.record);
    table_.update_live(guest.record.number,
                       [&](Live& live) { live.inside = sample ? std::optional(*sample) : std::nullopt; });
  }
}

}  // namespace umlfarm::daemon
