#include "provisioner/daemon/farm.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "guest/boot/command_line.h"
#include "guest/disk/host_key.h"
#include "provisioner/base/clock.h"
#include "provisioner/base/posix.h"
#include "provisioner/daemon/failpoint.h"
#include "provisioner/daemon/launcher.h"
#include "provisioner/daemon/library.h"
#include "provisioner/daemon/supervisor_client.h"
#include "quota/host_capacity.h"

namespace umlfarm::daemon {
namespace {

constexpr int kAnswerMs = 12'000;  // the supervisor's own limit is shorter
constexpr int kConnectMs = 5'000;
constexpr std::int64_t kSoonMs = 50;

Status make_tree(const Paths& paths) {
  for (const std::string& directory : {paths.state(), paths.guests()}) {
    UMLFARM_TRY(posix::make_directories(directory, 0711));
  }
  for (const std::string& directory : {paths.images(), paths.kernels()}) {
    UMLFARM_TRY(posix::make_directories(directory, 0711));
  }
  UMLFARM_TRY(posix::make_directories(paths.run(), 0755));
  UMLFARM_TRY(posix::make_directories(paths.guest_runs(), 0700));
  return posix::make_directories(paths.jails(), 0700);
}

guest::NetworkConfig network_config(const config::Config& config, const guest::AddressPool& pool) {
  guest::NetworkConfig network;
  network.gateway4 = pool.gateway4_cidr();
  network.gateway6 = pool.gateway6_cidr();
  network.isolate = config.network.isolate;
  return network;
}

const char* word_for(Catalog which) { return which == Catalog::Images ? "image" : "kernel"; }

quota::Capacity scaled(const quota::HostCapacity& host, const config::Capacity& config) {
  const auto scale = [](ByteSize have, ByteSize reserve, unsigned percent) {
    const std::uint64_t left = have > reserve ? have.bytes() - reserve.bytes() : 0;
    return ByteSize(left / 100 * percent);
  };
  return {scale(host.memory, config.memory_reserve, config.memory_percent),
          scale(host.disk, config.disk_reserve, config.disk_percent)};
}

}  // namespace

Farm::Farm(Settings settings, FileLock lock, std::unique_ptr<StateStore> store, guest::AddressPool pool,
           std::unique_ptr<guest::FarmNetwork> network, boost::asio::io_context& loop)
    : settings_(std::move(settings)),
      lock_(std::move(lock)),
      store_(std::move(store)),
      pool_(std::move(pool)),
      network_(std::move(network)),
      cgroups_(Cgroups::discover(store_->farm_id())),
      processors_(Processors::available()),
      table_(*store_),
      effects_({settings_.paths, settings_.config, *network_, pool_, cgroups_, processors_,
                settings_.supervisor, [this](const std::string& digest) { return loops_per_jiffy(digest); }}),
      watcher_(loop, {[this](std::int64_t number, const auto& status) { on_status(number, status); },
                      [this](std::int64_t number, bool reached) { on_gone(number, reached); }}),
      reconciler_(
          table_, effects_, settings_.config.guests, loop,
          {[this](const auto& guest, const auto& kind, const auto& message) { event(guest, kind, message); },
           [this](std::int64_t number) {
             watcher_.follow(number, settings_.paths.supervisor_socket(guest_id(number)));
           }}) {}

Farm::~Farm() { stop_work(); }

void Farm::stop_work() { reconciler_.stop(); }

Result<std::unique_ptr<Farm>> Farm::open(Settings settings, boost::asio::io_context& loop, bool work) {
  const Paths& paths = settings.paths;
  UMLFARM_TRY(make_tree(paths));
  auto lock = FileLock::acquire(paths.lock());
  if (!lock) {
    if (lock.error().kind() != Kind::Conflict) return lock.error();
    return Error(Kind::Conflict, "another umlfarmd runs on " + paths.state() + "; stop it first");
  }
  UMLFARM_ASSIGN(std::unique_ptr<StateStore> store, open_sqlite_store(paths.database()));
  UMLFARM_ASSIGN(guest::AddressPool pool,
                 guest::AddressPool::parse(settings.config.network.pool4, settings.config.network.pool6));
  UMLFARM_ASSIGN(std::unique_ptr<guest::FarmNetwork> network,
                 guest::FarmNetwork::open(paths.netns(), network_config(settings.config, pool)));
  std::unique_ptr<Farm> farm(new Farm(std::move(settings), *std::move(lock), std::move(store),
                                      std::move(pool), std::move(network), loop));
  UMLFARM_TRY(farm->pick_up(work));
  return farm;
}

Status Farm::pick_up(bool work) {
  UMLFARM_TRY(table_.load());
  if (!work) return {};
  for (const Catalog which : {Catalog::Images, Catalog::Kernels}) {
    UMLFARM_ASSIGN(const std::vector<CatalogEntry> entries, store_->catalog(which));
    UMLFARM_TRY(sweep(which, settings_.paths, entries));
    for (const CatalogEntry& entry : entries) loops_[entry.digest] = entry.loops_per_jiffy;
  }
  UMLFARM_TRY(sweep_residue());
  for (const GuestRecord& record : table_.records()) reconciler_.kick(record.number);
  return {};
}

// What belongs to no guest: its row went, and the daemon with it, before its last trace.
Status Farm::sweep_residue() {
  std::vector<guest::Port> ports;
  std::vector<std::string> ids;
  for (const GuestRecord& record : table_.records()) {
    ids.push_back(record.id());
    // Without one it has nothing in the network, and nothing would take its entries back.
    if (posix::exists(settings_.paths.guest_run(record.id()))) ports.push_back(port_of(record, pool_));
  }
  UMLFARM_TRY(network_->keep_only(ports));
  for (const std::string& home :
       {settings_.paths.guests(), settings_.paths.jails(), settings_.paths.guest_runs()}) {
    UMLFARM_ASSIGN(const std::vector<std::string> names, posix::list_directory(home));
    for (const std::string& name : names) {
      if (std::find(ids.begin(), ids.end(), name) == ids.end())
        UMLFARM_TRY(posix::remove_tree(home + "/" + name));
    }
  }
  return {};
}

Result<quota::Capacity> Farm::capacity() const {
  UMLFARM_ASSIGN(const quota::HostCapacity host, quota::host_capacity(settings_.paths.state()));
  return scaled(host, settings_.config.capacity);
}

Result<std::vector<Guest>> Farm::create(const CreateRequest& request) {
  const std::lock_guard lock(admission_);
  // An image that a new guest is about to use must not go at the same time.
  const std::lock_guard library(library_);
  UMLFARM_ASSIGN(const std::vector<CatalogEntry> images, store_->catalog(Catalog::Images));
  UMLFARM_ASSIGN(const std::vector<CatalogEntry> kernels, store_->catalog(Catalog::Kernels));
  UMLFARM_ASSIGN(const quota::Capacity have, capacity());
  const std::vector<GuestRecord> present = table_.records();
  UMLFARM_ASSIGN(std::vector<GuestRecord> admitted,
                 admit(request, {settings_.config, present, images, kernels, have, pool_.size()}));
  for (GuestRecord& record : admitted) {
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
                 table_.add(std::move(admitted), [this](GuestRecord& record) {
                   record.identity.mac = guest::guest_mac(store_->farm_id(), record.number);
                 }));
  failpoint("admit", "after");
  std::vector<Guest> guests;
  for (const GuestRecord& record : added) {
    reconciler_.kick(record.number);
    guests.push_back({record, {}});
  }
  for (const GuestRecord& record : added) event(record.name, "created", "plan " + record.identity.plan);
  return guests;
}

Result<Guest> Farm::change(const std::string& name, const std::function<Status(GuestRecord&)>& change) {
  UMLFARM_ASSIGN(const Guest guest, table_.find(name));
  const std::int64_t number = guest.record.number;
  Status allowed;
  UMLFARM_TRY(table_.update(number, [&](GuestRecord& record) {
    allowed = record.desired == Desired::Absent
                  ? Status(Error(Kind::Conflict, "guest '" + name + "' is being deleted"))
                  : change(record);
  }));
  UMLFARM_TRY(std::move(allowed));
  reconciler_.kick(number);
  return table_.find(name);
}

Result<Guest> Farm::start(const std::string& name) {
  return change(name, [](GuestRecord& record) -> Status {
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
  UMLFARM_TRY(
      table_.update(guest.record.number, [](GuestRecord& record) { record.desired = Desired::Absent; }));
  guest.record.desired = Desired::Absent;
  reconciler_.kick(guest.record.number);
  return guest;
}

Result<std::string> Farm::mconsole(const std::string& name, const std::string& command) {
  UMLFARM_ASSIGN(const Guest guest, table_.find(name));
  if (!guest.live.supervised)
    return Error(Kind::Unavailable, "guest '" + name + "' does not run; start it first");
  return ask_supervisor(settings_.paths.supervisor_socket(guest.record.id()), "mconsole " + command,
                        kAnswerMs);
}

Result<UniqueFd> Farm::connect(const std::string& name, std::uint16_t port) {
  UMLFARM_ASSIGN(const Guest guest, table_.find(name));
  if (!guest.live.supervised)
    return Error(Kind::Unavailable, "guest '" + name + "' does not run; start it first");
  const std::string address = pool_.at(guest.record.identity.address).address4;
  return network_->connect_tcp(address.substr(0, address.find('/')), port, kConnectMs);
}

Result<CatalogEntry> Farm::add(Catalog which, const std::string& from, const std::string& name) {
  const std::lock_guard lock(library_);
  UMLFARM_ASSIGN(CatalogEntry entry, take_in(which, settings_.paths, from, name));
  UMLFARM_TRY(store_->put(which, entry));
  return entry;
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
  for (const Guest& guest : table_.all()) {
    ++status.guests[state_of(guest, wall_clock_ms(), settings_.config.guests.ready_seconds).name];
  }
  status.promised = promised_to(table_.records());
  UMLFARM_ASSIGN(status.capacity, capacity());
  for (const std::string& controller : cgroups_.missing()) {
    status.notices.push_back("this host has no " + controller + " cgroup: that limit is not enforced by one");
  }
  return status;
}

void Farm::on_status(std::int64_t number, const guest::SupervisorStatus& status) {
  using State = guest::SupervisorStatus::State;
  const auto guest = table_.find(number);
  if (!guest) return;
  processors_.learn(guest->record.id(), status.processor);
  table_.update_live(number, [&](Live& live) {
    live.status = status;
    live.supervised = true;
  });
  const bool fresh =
      guest->record.started_ms != status.started_ms || guest->record.ready_ms != status.ready_ms;
  if (fresh) {
    // Lost to a full disk, it is only noted again after the next change.
    (void)table_.update(number, [&](GuestRecord& record) {
      record.started_ms = status.started_ms;
      record.ready_ms = status.ready_ms;
    });
  }
  if (fresh && status.ready_ms != 0) {
    event(guest->record.name, "ready",
          "ready " + std::to_string(status.ready_ms - status.started_ms) + " ms after its start");
    learn_loops_per_jiffy(guest->record);
  }
  if (status.state == State::Unhealthy && guest->live.status.state != State::Unhealthy) {
    event(guest->record.name, "unhealthy", "its kernel does not answer its management console");
  }
}

void Farm::on_gone(std::int64_t number, bool reached) {
  table_.update_live(number, [](Live& live) { live.status = {}; });
  // It may be only just starting, or hold on for its last moment.
  reconciler_.kick_after(number, reached ? 0 : kSoonMs);
}

// A kernel measures it only where the farm could not yet tell it: at its first boot here.
void Farm::learn_loops_per_jiffy(const GuestRecord& record) {
  const std::string& digest = record.identity.kernel_digest;
  if (loops_per_jiffy(digest) != 0) return;
  const auto log = posix::read_file(settings_.paths.console_log(record.id()));
  const std::uint64_t loops = log ? guest::find_loops_per_jiffy(*log) : 0;
  if (loops == 0) return;
  const std::lock_guard lock(loops_mutex_);
  loops_[digest] = loops;
  auto kernels = store_->catalog(Catalog::Kernels);
  if (!kernels) return;
  for (CatalogEntry& kernel : *kernels) {
    if (kernel.digest != digest) continue;
    kernel.loops_per_jiffy = loops;
    if (Status kept = store_->put(Catalog::Kernels, kernel); !kept)
      spdlog::warn("{}", kept.error().message());
  }
}

std::uint64_t Farm::loops_per_jiffy(const std::string& kernel_digest) {
  const std::lock_guard lock(loops_mutex_);
  return loops_[kernel_digest];
}

void Farm::event(const std::string& guest, const std::string& kind, const std::string& message) {
  spdlog::info("{}{}: {}", guest, guest.empty() ? kind : " " + kind, message);
  if (Status kept = store_->add_event({0, wall_clock_ms(), guest, kind, message}); !kept) {
    spdlog::error("event not kept: {}", kept.error().message());
  }
}

Status Farm::tear_down() {
  stop_work();
  for (const GuestRecord& record : table_.records()) {
    UMLFARM_TRY(effects_.perform(Action::KillRest, record));
    // Its supervisor has a last thing to write.
    const std::string run = settings_.paths.guest_run(record.id());
    for (int i = 0; i < 500 && supervisor_holds(run); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    for (const Action action : {Action::DetachNetwork, Action::RemoveCgroups, Action::RemoveRun}) {
      UMLFARM_TRY(effects_.perform(action, record));
    }
  }
  UMLFARM_TRY(cgroups_.remove_farm());
  return network_->remove();
}

}  // namespace umlfarm::daemon
