#include "provisioner/daemon/farm.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "guest/disk/host_key.h"
#include "provisioner/base/clock.h"
#include "provisioner/base/failpoint.h"
#include "provisioner/base/printable.h"
#include "provisioner/daemon/exit_policy.h"
#include "provisioner/daemon/library.h"
#include "provisioner/daemon/supervisor_client.h"
#include "quota/capacity.h"

namespace umlfarm::daemon {
namespace {

constexpr int kAnswerMs = 12'000;  // the supervisor's own limit is shorter
constexpr int kConnectMs = 5'000;

const char* word_for(Catalog which) { return which == Catalog::Images ? "image" : "kernel"; }

Status check_not_suspended(const GuestRecord& record) {
  if (record.suspended.empty()) return {};
  return Error(Kind::Conflict, "guest '" + record.name + "' is suspended: " + record.suspended +
                                   "; 'umlfarm unsuspend " + record.name + "' ends that");
}

}  // namespace

Result<std::vector<Guest>> Farm::create(const CreateRequest& request) {
  const std::lock_guard lock(admission_);
  // An image that a new guest is about to use must not go at the same time.
  const std::lock_guard library(library_);
  UMLFARM_ASSIGN(const std::vector<CatalogEntry> images, store_->catalog(Catalog::Images));
  UMLFARM_ASSIGN(const std::vector<CatalogEntry> kernels, store_->catalog(Catalog::Kernels));
  UMLFARM_ASSIGN(const std::vector<Tenant> tenants, store_->tenants());
  UMLFARM_ASSIGN(const quota::HostCapacity host, host_.now());
  const std::vector<GuestRecord> present = table_.records();
  UMLFARM_ASSIGN(Admitted admitted,
                 admit(request, {settings_.config, present, images, kernels, tenants,
                                 quota::bounds_of(host, settings_.config.capacity), pool_.size()}));
  for (GuestRecord& record : admitted.guests) {
    UMLFARM_TRY(cgroups_.check(record.limits));
    GuestIdentity& identity = record.identity;
    UMLFARM_ASSIGN(const guest::HostKey key, guest::make_host_key());
    identity.host_key_public = key.public_line;
    identity.host_key_openssh = key.openssh_private;
    identity.host_key_dropbear = key.dropbear_private;
    identity.machine_id = random_hex(16);
    identity.seed_id = random_hex(8);
    identity.created_ms = wall_clock_ms();
  }
  failpoint("admit", "before");
  UMLFARM_ASSIGN(const std::vector<GuestRecord> added,
                 table_.add(std::move(admitted.guests), admitted.bounds, [this](GuestRecord& record) {
                   record.identity.mac = guest::guest_mac(store_->farm_id(), record.number);
                 }));
  failpoint("admit", "after");
  std::vector<Guest> guests;
  for (const GuestRecord& record : added) {
    follow_up(record, true);
    guests.push_back({record, {}});
  }
  for (const GuestRecord& record : added) event(record.name, "created", "plan " + record.identity.plan);
  return guests;
}

Result<Guest> Farm::change(const std::string& name, const std::function<Status(GuestRecord&)>& change) {
  UMLFARM_ASSIGN(const Guest guest, table_.find(name));
  const std::int64_t number = guest.record.number;
  Status allowed;
  GuestRecord changed;
  bool turned = false;
  UMLFARM_TRY(table_.update(number, [&](GuestRecord& record) {
    const bool ran = should_run(record);
    allowed = record.desired == Desired::Absent
                  ? Status(Error(Kind::Conflict, "guest '" + name + "' is being deleted"))
                  : change(record);
    turned = should_run(record) != ran;
    changed = record;
  }));
  UMLFARM_TRY(std::move(allowed));
  follow_up(changed, turned);
  return table_.find(name);
}

Result<Guest> Farm::start(const std::string& name) {
  return change(name, [](GuestRecord& record) -> Status {
    UMLFARM_TRY(check_not_suspended(record));
    record.desired = Desired::Running;
    record.failure.clear();
    record.restarts = 0;
    return {};
  });
}

Result<Guest> Farm::stop(const std::string& name, std::optional<std::int64_t> patience_ms) {
  return change(name, [&](GuestRecord& record) -> Status {
    record.desired = Desired::Stopped;
    record.restart_asked = false;
    record.failure.clear();
    record.stop_patience_ms = patience_ms.value_or(std::int64_t{settings_.config.guests.stop_seconds} * 1000);
    return {};
  });
}

Result<Guest> Farm::restart(const std::string& name) {
  UMLFARM_ASSIGN(const Guest guest, table_.find(name));
  const bool up = guest.live.supervised;
  return change(name, [&](GuestRecord& record) -> Status {
    UMLFARM_TRY(check_not_suspended(record));
    record.desired = Desired::Running;
    record.restart_asked = up;
    record.failure.clear();
    record.restarts = 0;
    record.stop_patience_ms = std::int64_t{settings_.config.guests.stop_seconds} * 1000;
    return {};
  });
}

Result<Guest> Farm::remove(const std::string& name) {
  UMLFARM_ASSIGN(Guest guest, table_.find(name));
  (void)!count_traffic();
  UMLFARM_TRY(count_use_of(guest.record.number));
  UMLFARM_TRY(
      table_.update(guest.record.number, [](GuestRecord& record) { record.desired = Desired::Absent; }));
  guest.record.desired = Desired::Absent;
  follow_up(guest.record, true);
  return guest;
}

Result<Guest> Farm::suspend(const std::string& name, const std::string& reason) {
  constexpr std::size_t kMostReason = 200;
  if (reason.empty() || reason.size() > kMostReason ||
      !std::all_of(reason.begin(), reason.end(), is_printable))
    return Error(Kind::Invalid, "reason '" + printable(reason.substr(0, kMostReason)) + "': must be 1 to " +
                                    std::to_string(kMostReason) + " printable characters");
  UMLFARM_ASSIGN(const Guest before, table_.find(name));
  UMLFARM_TRY(count_use_of(before.record.number));
  UMLFARM_ASSIGN(Guest guest, change(name, [&](GuestRecord& record) -> Status {
                   record.suspended = reason;
                   record.restart_asked = false;
                   record.stop_patience_ms = std::int64_t{settings_.config.guests.stop_seconds} * 1000;
                   return {};
                 }));
  if (before.record.suspended != reason) event(name, "suspended", reason);
  return guest;
}

Result<Guest> Farm::unsuspend(const std::string& name) {
  UMLFARM_ASSIGN(const Guest before, table_.find(name));
  UMLFARM_TRY(count_use_of(before.record.number));
  UMLFARM_ASSIGN(Guest guest, change(name, [](GuestRecord& record) -> Status {
                   record.suspended.clear();
                   return {};
                 }));
  if (!before.record.suspended.empty())
    event(name, "unsuspended", "was suspended: " + before.record.suspended);
  return guest;
}

Result<Guest> Farm::look(const std::string& name) {
  UMLFARM_ASSIGN(Guest guest, table_.find(name));
  if (!guest.live.supervised) return guest;
  const auto status = supervisor_status(settings_.paths.supervisor_socket(guest.record.id()));
  if (status) guest.live.status = *status;
  return guest;
}

Result<std::string> Farm::ask_kernel(const GuestRecord& record, const std::string& command) const {
  return ask_supervisor(settings_.paths.supervisor_socket(record.id()), "mconsole " + command, kAnswerMs);
}

Result<std::string> Farm::mconsole(const std::string& name, const std::string& command) {
  UMLFARM_ASSIGN(const Guest guest, table_.find(name));
  if (!guest.live.supervised)
    return Error(Kind::Unavailable, "guest '" + name + "' does not run; start it first");
  return ask_kernel(guest.record, command);
}

Result<UniqueFd> Farm::connect(const std::string& name, std::uint16_t port) {
  UMLFARM_ASSIGN(const Guest guest, table_.find(name));
  if (!guest.live.supervised)
    return Error(Kind::Unavailable, "guest '" + name + "' does not run; start it first");
  const std::string address = pool_.at(guest.record.identity.address).address4;
  return network_->connect_tcp(guest::without_prefix(address), port, kConnectMs);
}

Result<CatalogEntry> Farm::add(Catalog which, const std::string& from, const std::string& name, uid_t asker) {
  // The copy takes its time, and nobody waits for it but who asked.
  UMLFARM_ASSIGN(const Staged staged, stage(which, settings_.paths, from, name, asker));
  const std::lock_guard lock(library_);
  UMLFARM_TRY(place(which, settings_.paths, staged));
  UMLFARM_TRY(store_->put(which, staged.entry()));
  return staged.entry();
}

Result<CatalogEntry> Farm::verify(Catalog which, const std::string& asked) {
  UMLFARM_ASSIGN(const std::vector<CatalogEntry> entries, store_->catalog(which));
  UMLFARM_ASSIGN(CatalogEntry entry, find_entry(entries, word_for(which), asked));
  UMLFARM_TRY(daemon::verify(which, settings_.paths, entry.digest));
  return entry;
}

Result<CatalogEntry> Farm::remove(Catalog which, const std::string& asked) {
  const std::lock_guard lock(library_);
  const char* const what = word_for(which);
  UMLFARM_ASSIGN(const std::vector<CatalogEntry> entries, store_->catalog(which));
  UMLFARM_ASSIGN(CatalogEntry entry, find_entry(entries, what, asked));
  for (const GuestRecord& record : table_.records()) {
    const GuestIdentity& identity = record.identity;
    if ((which == Catalog::Images ? identity.image_digest : identity.kernel_digest) == entry.digest) {
      return Error(Kind::Conflict, std::string(what) + " '" + asked + "' is used by guest '" + record.name +
                                       "'; delete that first");
    }
  }
  // The row first: files without a row are swept, a row without files would be believed.
  UMLFARM_TRY(store_->remove(which, entry.digest));
  UMLFARM_TRY(remove_files(which, settings_.paths, entry.digest));
  return entry;
}

Result<FarmStatus> Farm::status() {
  FarmStatus status;
  Vitals vitals;
  for (const Guest& guest : table_.all()) {
    const std::string state = state_of(guest, wall_clock_ms(), settings_.config.guests.ready_seconds).name;
    ++status.guests[state];
    vitals.guests[state].push_back(guest.record.name);
    if (guest.live.status.waits_for_room) vitals.waiting.push_back(guest.record.name);
  }
  status.promised = ledger_.of(quota::kHostAccount);
  UMLFARM_ASSIGN(status.host, host_.now());
  status.disk_quota = disk_quota_->text();
  vitals.host = status.host;
  status.load = quota::host_load(settings_.paths.state());
  vitals.load = status.load;
  vitals.promised = status.promised;
  vitals.addresses = pool_.size();
  vitals.users = settings_.config.guests.uids;
  status.problems = diagnose(vitals);
  if (!status.host.notice.empty()) status.notices.push_back(status.host.notice);
  for (const std::string& controller : cgroups_.missing()) {
    status.notices.push_back("this host has no " + controller + " cgroup: that limit is not enforced by one");
  }
  if (const std::string notice = quota::mappings_notice(settings_.config.plans); !notice.empty()) {
    status.notices.push_back(notice);
  }
  const std::lock_guard lock(notices_mutex_);
  status.notices.insert(status.notices.end(), notices_.begin(), notices_.end());
  return status;
}

void Farm::add_notice(const std::string& notice) {
  spdlog::warn("{}", notice);
  const std::lock_guard lock(notices_mutex_);
  notices_.push_back(notice);
}

void Farm::event(const std::string& name, const std::string& kind, const std::string& message) {
  Event event{0, wall_clock_ms(), name, kind, message, asked_now()};
  const auto guest = table_.find(name);
  if (guest && event.asked.request.empty() && !guest->live.asked.request.empty()) {
    const bool died = std::find(kDeaths.begin(), kDeaths.end(), kind) != kDeaths.end();
    if (!died) event.asked = guest->live.asked;
    // What comes after it has arrived, nobody asked for.
    const bool up = should_run(guest->record);
    const bool arrived = up ? kind == "ready" && !guest->record.restart_asked : !guest->live.supervised;
    if (arrived || died) table_.update_live(guest->record.number, [](Live& live) { live.asked = {}; });
  }
  const std::string by =
      event.asked.by.empty() ? "" : " (" + event.asked.by + ", " + event.asked.request + ")";
  spdlog::info("{}{}: {}{}", name, name.empty() ? kind : " " + kind, message, by);
  if (Status kept = store_->add_event(event); !kept)
    spdlog::error("event not kept: {}", kept.error().message());
}

void Farm::follow_up(const GuestRecord& record, bool turned) {
  table_.update_live(record.number, [&](Live& live) {
    if (!asked_now().request.empty() && (turned || is_on_its_way(record, live))) live.asked = asked_now();
  });
  reconciler_.kick(record.number);
}

void Farm::note_asked(const std::string& guest, const std::string& what) { event(guest, "asked", what); }

Status Farm::forget_old_events() {
  constexpr std::int64_t kDayMs = 86'400'000;
  const config::Events& events = settings_.config.events;
  return store_->forget_events(wall_clock_ms() - events.keep_days * kDayMs, events.keep);
}

}  // namespace umlfarm::daemon
