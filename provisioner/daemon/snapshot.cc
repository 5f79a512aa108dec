#include "provisioner/daemon/snapshot.h"

#include <unistd.h>

#include <chrono>

#include "provisioner/base/clock.h"
#include "provisioner/base/posix.h"
#include "provisioner/daemon/exit_policy.h"
#include "quota/cost.h"
#include "quota/watch.h"

namespace umlfarm::daemon {
namespace {

constexpr double kMsPerSecond = 1e3;
constexpr double kUsPerSecond = 1e6;
constexpr double kNsPerSecond = 1e9;

// What is the same for all guests of one snapshot; none where it can't be read just now.
struct Carriage {
  std::optional<guest::Counters> counters;
  std::optional<std::map<std::string, quota::Carried>> dropped;
};

// Of the jail's only child, the guest's kernel; what has ended in it included.
double kernel_cpu_seconds(pid_t init) {
  const std::string self = std::to_string(init);
  const auto children = posix::read_file("/proc/" + self + "/task/" + self + "/children");
  if (!children || children->empty()) return 0;
  const auto stat = posix::read_file("/proc/" + children->substr(0, children->find(' ')) + "/stat");
  const auto ticks = stat ? quota::ticks_of(*stat) : std::nullopt;
  return static_cast<double>(ticks.value_or(0)) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

void add_network(const Carriage& carriage, const std::string& tap, metrics::Guest& to) {
  const auto add = [&](const std::map<std::string, quota::Carried>& by_tap, auto metrics::Traffic::*what) {
    const quota::Carried carried = guest::carried_by(by_tap, tap);
    to.in.*what = carried.in;
    to.out.*what = carried.out;
  };
  if (carriage.counters) {
    add(carriage.counters->by_tap, &metrics::Traffic::bytes);
    add(carriage.counters->packets, &metrics::Traffic::packets);
  }
  if (carriage.dropped) add(*carriage.dropped, &metrics::Traffic::drops);
}

metrics::Running see_running(const Live& live, const quota::Usage& usage) {
  const guest::SupervisorStatus& status = live.status;
  metrics::Running seen;
  seen.started = static_cast<double>(status.started_ms) / kMsPerSecond;
  if (status.ready_ms != 0)
    seen.boot_seconds = static_cast<double>(status.ready_ms - status.started_ms) / kMsPerSecond;
  seen.cpu_seconds = static_cast<double>(usage.cpu_ns) / kNsPerSecond;
  seen.kernel_cpu_seconds = kernel_cpu_seconds(status.init);
  seen.cpu_held_seconds = static_cast<double>(usage.cpu_held_ns) / kNsPerSecond;
  seen.memory_allocated = usage.memory_file.bytes();
  seen.host_memory = usage.memory.bytes();
  seen.host_memory_peak = usage.memory_peak.bytes();
  seen.memory_kills = usage.memory_kills;
  seen.disk_read = usage.disk_read.bytes();
  seen.disk_written = usage.disk_written.bytes();
  seen.disk_reads = usage.disk_reads;
  seen.disk_writes = usage.disk_writes;
  seen.processes = usage.processes;
  seen.console_dropped = status.console_dropped;
  if (status.answer_us != 0) seen.mconsole_seconds = static_cast<double>(status.answer_us) / kUsPerSecond;
  seen.busiest = live.busiest;
  if (live.inside) {
    seen.inside_load = live.inside->load1;
    seen.inside_memory_available = static_cast<double>(live.inside->memory_available.bytes());
    seen.inside_uptime = live.inside->uptime_seconds;
  }
  return seen;
}

metrics::Guest see(const Farm& farm, const Guest& guest, const Carriage& carriage) {
  const GuestRecord& record = guest.record;
  const GuestIdentity& identity = record.identity;
  metrics::Guest seen;
  seen.name = record.name;
  seen.id = record.id();
  seen.tenant = identity.tenant;
  seen.plan = identity.plan;
  seen.image = identity.image;
  seen.kernel = identity.kernel;
  seen.state = state_of(guest, wall_clock_ms(), farm.config().guests.ready_seconds).name;
  seen.ready = seen.state == "ready";
  // A series that begins with its first restart would show none.
  for (const char* const cause : kDeaths) seen.restarts[cause] = 0;
  for (const auto& [cause, count] : record.restarts_ever) seen.restarts[cause] = count;
  seen.memory_promised = quota::backed_memory(record.limits).bytes();
  seen.host_memory_limit = quota::group_memory(record.limits).bytes();
  seen.processes_limit = quota::group_processes(record.limits);
  seen.disk_limit = record.limits.disk.bytes();
  seen.disk_allocated = posix::allocated(farm.paths().disk(seen.id));
  seen.swap_allocated = posix::allocated(farm.paths().swap(seen.id));
  add_network(carriage, tap_of(record), seen);
  const bool heard = guest.live.supervised && guest.live.status.started_ms != 0;
  if (heard) seen.running = see_running(guest.live, farm.usage(guest));
  return seen;
}

metrics::Host see_host(Farm& farm, const FarmStatus& status, std::uint64_t guests) {
  metrics::Host host;
  host.version = UMLFARM_VERSION;
  const quota::HostLoad& load = status.load;
  using quota::Resource;
  for (const Resource resource : {Resource::Memory, Resource::Disk, Resource::Processors}) {
    const quota::Share share = quota::share_of(resource, status.host, farm.config().capacity);
    host.resources[std::string(quota::resource_name(resource))] = {
        share.has, share.most(), status.promised[resource], {}};
  }
  host.resources["memory"].used = load.memory_used.bytes();
  host.resources["disk"].used = load.disk_used.bytes();
  host.busy_seconds = load.busy_seconds;
  host.waiting_seconds = load.waiting_seconds;
  host.pools["addresses"] = {farm.pool().size(), guests};
  host.pools["uids"] = {farm.config().guests.uids, guests};
  host.actions = farm.tally().work();
  host.errors = farm.tally().errors();
  if (!farm.config().capacity.libvirt.empty()) host.libvirt = status.host.source != "/proc";
  host.notices = status.notices.size();
  return host;
}

metrics::Tenant see_tenant(const TenantAccount& account) {
  metrics::Tenant tenant{account.tenant.name, {}};
  for (const quota::Resource resource : quota::kResources) {
    metrics::Promise& promise = tenant.resources[std::string(quota::resource_name(resource))];
    promise.promised = account.promised[resource];
    if (const std::uint64_t most = account.tenant.bounds[resource]; most != quota::kUnlimited)
      promise.limit = most;
  }
  return tenant;
}

}  // namespace

Result<metrics::Snapshot> take_snapshot(Farm& farm) {
  const auto begun = std::chrono::steady_clock::now();
  metrics::Snapshot snapshot;
  snapshot.taken = static_cast<double>(wall_clock_ms()) / kMsPerSecond;
  UMLFARM_ASSIGN(const FarmStatus status, farm.status());
  UMLFARM_ASSIGN(const std::vector<TenantAccount> tenants, farm.tenants());
  for (const TenantAccount& tenant : tenants) snapshot.tenants.push_back(see_tenant(tenant));
  const Carriage carriage{farm.counters(), farm.dropped()};
  const std::vector<Guest> guests = farm.list();
  snapshot.guests.reserve(guests.size());
  for (const Guest& guest : guests) snapshot.guests.push_back(see(farm, guest, carriage));
  snapshot.host = see_host(farm, status, guests.size());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  snapshot.collection_seconds = took.count();
  return snapshot;
}

}  // namespace umlfarm::daemon
