// Changes what a guest has been promised, and what it can use, while it runs where that is possible.
#include <algorithm>
#include <boost/algorithm/string/join.hpp>
#include <chrono>
#include <sstream>
#include <thread>

#include "provisioner/base/clock.h"
#include "provisioner/base/failpoint.h"
#include "provisioner/base/posix.h"
#include "provisioner/daemon/farm.h"
#include "provisioner/daemon/farm_hold.h"
#include "provisioner/daemon/guest_memory.h"
#include "provisioner/daemon/kernel_needs.h"
#include "provisioner/daemon/supervisor_client.h"
#include "quota/capacity.h"

namespace umlfarm::daemon {
namespace {

constexpr auto kRest = std::chrono::milliseconds(30);
constexpr int kPatienceMs = 10'000;
// A guest that goes on giving a little is not waited for longer.
constexpr std::int64_t kMostMs = 20'000;
constexpr std::int64_t kFitAgainMs = 100;
constexpr std::int64_t kFitAtMostMs = 60'000;

std::string human(ByteSize size) { return human_size(size.bytes()); }

// Of the guest's first disk, from lines such as "  98        0     524288 ubda": whole KiB.
Result<ByteSize> disk_in(const std::string& partitions) {
  std::istringstream lines(partitions);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::uint64_t major = 0;
    std::uint64_t minor = 0;
    std::uint64_t kib = 0;
    std::string name;
    if (words >> major >> minor >> kib >> name && name == "ubda" && kib <= quota::kMostDisk.bytes() / 1024)
      return ByteSize(kib * 1024);
  }
  return Error(Kind::Unavailable, "the guest does not tell the size of its disk");
}

}  // namespace

GuestMemory Farm::memory_of(const GuestRecord& record) const {
  const std::int64_t until = monotonic_ms() + kMostMs;
  return {[this, record](const std::string& command) { return ask_kernel(record, command); },
          [until](bool done) {
            if (!done) std::this_thread::sleep_for(kRest);
            return monotonic_ms() < until;
          }};
}

Result<ByteSize> Farm::memory_held(const GuestRecord& record) const {
  UMLFARM_ASSIGN(const guest::SupervisorStatus status,
                 supervisor_status(settings_.paths.supervisor_socket(record.id())));
  return ByteSize(status.memory_allocated);
}

Result<quota::AccountBounds> Farm::bounds_for(const GuestRecord& record) {
  UMLFARM_ASSIGN(const std::vector<Tenant> tenants, store_->tenants());
  UMLFARM_ASSIGN(const Tenant tenant, find_tenant(tenants, record.identity.tenant));
  UMLFARM_ASSIGN(const quota::HostCapacity host, host_.now());
  return daemon::bounds_for(tenant, holder_of(record.identity),
                            quota::bounds_of(host, settings_.config.capacity));
}

Result<LimitsReport> Farm::set_limits(const std::string& name, const LimitsRequest& request) {
  UMLFARM_ASSIGN(const Guest found, table_.find(name));
  UMLFARM_ASSIGN(const std::unique_ptr<Hold> hold, Hold::take(*this, found, kPatienceMs));
  UMLFARM_ASSIGN(const Guest guest, table_.find(name));
  // Until now it has what it had.
  (void)!count_traffic();
  UMLFARM_TRY(count_use_of(guest.record.number));
  auto report = change_limits(guest, request);
  // Whatever became of it, the tap is held to what is promised now.
  const Status limited = limit_network(guest.record);
  if (report && !limited) return limited.error();
  return report;
}

Result<LimitsReport> Farm::change_limits(const Guest& guest, const LimitsRequest& request) {
  const GuestRecord& record = guest.record;
  const std::string& name = record.name;
  if (record.desired == Desired::Absent)
    return Error(Kind::Conflict, "guest '" + name + "' is being deleted");
  quota::LimitsChange change = request.change;
  if (!request.plan.empty()) {
    UMLFARM_ASSIGN(change.plan, find_plan(settings_.config, request.plan));
  }
  const bool running = effects_.observe(record).supervised;
  UMLFARM_ASSIGN(
      const quota::Limits wanted,
      quota::changed(record.limits, change, running && !request.restart, effects_.most_disk(record)));
  quota::Plan needs;
  needs.durable_disks = needs.tap_offload = false;
  needs = change.plan.value_or(needs);
  needs.limits = wanted;
  if (Status able = check_kernel(record.identity.kernel, record.identity.kernel_features, needs); !able) {
    return Error(Kind::Invalid, "kernel '" + record.identity.kernel + "' of guest '" + name +
                                    "' can't carry this; see 'umlfarm kernel list'");
  }
  UMLFARM_TRY(check_ceiling(record.identity.kernel, record.identity.kernel_features, wanted));
  const std::vector<std::string> later = quota::needs_restart(record.limits, wanted);
  if (running && !later.empty() && !request.restart) {
    return Error(Kind::Conflict, "guest '" + name + "' runs, and gets this only by starting again: " +
                                     boost::algorithm::join(later, ", ") +
                                     "; say so with --restart, or ask for less");
  }
  UMLFARM_TRY(cgroups_.check(wanted));
  UMLFARM_ASSIGN(const quota::AccountBounds bounds, bounds_for(record));
  {
    // First, as nothing has to be taken back where this host can't do it.
    const std::lock_guard lock(taps_mutex_);
    UMLFARM_TRY(limit_tap(record, wanted));
  }
  const bool again = running && !later.empty() && should_run(record);
  const auto write = [&](const quota::Limits& limits) {
    return table_.resize(record.number, bounds, [&](GuestRecord& changed) {
      changed.limits = limits;
      if (change.plan) changed.identity.plan = change.plan->name;
      if (again) {
        changed.restart_asked = true;
        changed.stop_patience_ms = std::int64_t{settings_.config.guests.stop_seconds} * 1000;
      }
    });
  };
  LimitsReport report{{}, record.limits, wanted, wanted, {}, {}, again};
  if (!running || !later.empty()) {
    UMLFARM_TRY(write(wanted));
  } else if (Status applied = apply_limits(record, write, report); !applied) {
    // Whatever it has now, it gets what it is promised.
    refit(record.number);
    return applied.error();
  }
  UMLFARM_ASSIGN(report.guest, table_.find(name));
  if (running && later.empty() && report.given.disk != report.before.disk) {
    if (Status grown = grow_disk(report.guest.record); !grown) {
      refit(record.number);
      return std::move(grown).error().context("the larger disk is promised, and is tried again");
    }
  }
  if (report.before != report.given || report.asked != report.given) event(name, "limits", describe(report));
  // It may have to go down and come up again.
  if (again)
    follow_up(report.guest.record, true);
  else
    reconciler_.kick(record.number);
  return report;
}

// Towards what is asked, and returns what the guest has then, by its word.
Result<ByteSize> Farm::move_memory(const GuestRecord& record, LimitsReport& report) const {
  UMLFARM_TRY(check_tells_memory(record.identity.kernel, record.identity.kernel_features));
  UMLFARM_ASSIGN(report.held_before, memory_held(record));
  UMLFARM_ASSIGN(const ByteSize reached, memory_of(record).set(report.asked.memory));
  UMLFARM_ASSIGN(report.held_now, memory_held(record));
  return reached;
}

// More is promised before it is given, less is promised once it has been taken.
Status Farm::apply_limits(const GuestRecord& record, const std::function<Status(const quota::Limits&)>& write,
                          LimitsReport& report) {
  if (report.asked.memory < report.before.memory) return take_memory(record, write, report);
  if (quota::group_memory(report.asked) < quota::group_memory(report.before) &&
      report.asked.memory == report.before.memory) {
    UMLFARM_TRY(cgroups_.apply(record.id(), report.asked));
    Status written = write(report.asked);
    if (!written) (void)!cgroups_.apply(record.id(), report.before);
    return written;
  }
  UMLFARM_TRY(write(report.asked));
  if (Status applied = cgroups_.apply(record.id(), report.asked); !applied) {
    (void)!write(report.before);
    return applied;
  }
  if (report.asked.memory == report.before.memory) return {};
  UMLFARM_ASSIGN(const ByteSize reached, move_memory(record, report));
  if (reached < report.asked.memory) {
    return Error(Kind::Unavailable, "guest '" + record.name + "' is promised " + human(report.asked.memory) +
                                        " and has taken " + human(reached) +
                                        " so far; it is offered the rest again");
  }
  return {};
}

Status Farm::take_memory(const GuestRecord& record, const std::function<Status(const quota::Limits&)>& write,
                         LimitsReport& report) {
  UMLFARM_ASSIGN(const ByteSize reached, move_memory(record, report));
  quota::Limits limits = report.asked;
  limits.memory = std::clamp(reached, report.asked.memory, report.before.memory);
  if (report.held_now > limits.memory + quota::kMemoryFileSlack) {
    return Error(Kind::Conflict, "guest '" + record.name + "' says that it has " + human(reached) +
                                     " left, and the host still holds " + human(report.held_now) +
                                     " of its memory; it keeps what it had");
  }
  failpoint("take-memory", "before");
  UMLFARM_TRY(cgroups_.apply(record.id(), limits));
  failpoint("take-memory", "after");
  if (Status written = write(limits); !written) {
    (void)!cgroups_.apply(record.id(), report.before);
    return written;
  }
  report.given = limits;
  return {};
}

std::string describe(const LimitsReport& report) {
  const quota::Limits& was = report.before;
  const quota::Limits& is = report.given;
  std::vector<std::string> parts;
  for (const quota::LimitField& field : quota::limit_fields()) {
    const quota::LimitValue before = value_of(was, field);
    const quota::LimitValue after = value_of(is, field);
    if (before == after) continue;
    parts.push_back(label_of(field) + " " + text_of(field, before) + " -> " + text_of(field, after));
  }
  if (report.asked.memory != is.memory) {
    parts.push_back(human(report.asked.memory) + " asked: the guest keeps " + human(is.memory) +
                    ", having no more to give");
  }
  std::string text = boost::algorithm::join(parts, ", ");
  if (text.empty()) text = "nothing changed";
  if (report.restarts) return text + "; it starts again with them";
  if (was.memory != is.memory && report.held_before.bytes() != 0) {
    text += "; of it the host held " + human(report.held_before) + ", and holds " + human(report.held_now);
  }
  return text;
}

void Farm::refit(std::int64_t number) {
  table_.update_live(number, [](Live& live) { live.fitted_ms = 0; });
  if (const auto guest = table_.find(number)) {
    reconciler_.later(0, [this, number, started = guest->live.status.started_ms] {
      fit_memory(number, started, kFitAgainMs);
    });
  }
}

// A guest boots with all that it can be given, and what a daemon took out before it died is not noted: what
// it has, and what its groups allow, is made what it was promised.
void Farm::fit_memory(std::int64_t number, std::int64_t started_ms, std::int64_t patience_ms) {
  auto guest = table_.find(number);
  if (!guest || guest->live.fitted_ms == started_ms || guest->live.status.started_ms != started_ms) return;
  if (!check_tells_memory(guest->record.identity.kernel, guest->record.identity.kernel_features)) return;
  const auto hold = Hold::take(*this, *guest, 0);
  // Its limits may have changed until now.
  if (hold) guest = table_.find(number);
  const Status fitted =
      hold && guest ? fit_held(guest->record) : Status(Error(Kind::Conflict, "it is worked on"));
  if (!fitted) {
    // Its console is not up yet, or it is gone, which the watcher will say.
    reconciler_.later(patience_ms, [this, number, started_ms, patience_ms] {
      fit_memory(number, started_ms, std::min(2 * patience_ms, kFitAtMostMs));
    });
    return;
  }
  table_.update_live(number, [&](Live& live) { live.fitted_ms = started_ms; });
}

Status Farm::grow_disk(const GuestRecord& record) const {
  UMLFARM_TRY(effects_.grow_disk(record));
  failpoint("grow-disk", "before");
  UMLFARM_ASSIGN(const std::string said, ask_kernel(record, "config ubd0=grow"));
  failpoint("grow-disk", "after");
  return {};
}

// A daemon may have died before it told the guest.
Status Farm::fit_disk(const GuestRecord& record) const {
  if (!record.identity.kernel_features.growing_disks) return {};
  UMLFARM_ASSIGN(const std::string partitions, ask_kernel(record, "proc partitions"));
  UMLFARM_ASSIGN(const ByteSize has, disk_in(partitions));
  return has.bytes() < record.limits.disk.bytes() / 1024 * 1024 ? grow_disk(record) : Status();
}

Status Farm::fit_memory_of(const GuestRecord& record) const {
  const GuestMemory memory = memory_of(record);
  const ByteSize promised = record.limits.memory;
  UMLFARM_ASSIGN(const ByteSize has, memory.size());
  if (has <= promised) UMLFARM_TRY(cgroups_.apply(record.id(), record.limits));
  if (has == promised) return {};
  UMLFARM_ASSIGN(const ByteSize reached, memory.set(promised));
  if (has > promised) UMLFARM_TRY(cgroups_.apply(record.id(), record.limits));
  if (reached == promised) return {};
  return Error(Kind::Unavailable,
               "memory should be " + human(promised) + ", and the guest has " + human(reached));
}

// One that fails keeps the other not from what it is promised.
Status Farm::fit_held(const GuestRecord& record) const {
  Status memory = fit_memory_of(record);
  UMLFARM_TRY(fit_disk(record));
  return memory;
}

}  // namespace umlfarm::daemon
