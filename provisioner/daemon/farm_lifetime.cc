// How a farm comes up on a host, and how it goes.
#include <malloc.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <thread>

#include "provisioner/base/posix.h"
#include "provisioner/daemon/farm.h"
#include "provisioner/daemon/guest_processes.h"
#include "provisioner/daemon/launcher.h"
#include "provisioner/daemon/library.h"

namespace umlfarm::daemon {
namespace {

// A host that loses its power forgets what was carried since.
constexpr std::chrono::seconds kRecountTraffic(10);
constexpr std::chrono::seconds kRecountUses(60);
constexpr std::chrono::seconds kForgetUses(3600);
constexpr std::chrono::seconds kLookAtProcesses(15);
constexpr std::chrono::seconds kLookAtPressure(5);
constexpr unsigned kNeverReclaim = 100;
// Virtual machines of others come and go.
constexpr std::chrono::minutes kRecount(1);

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

Result<guest::NetworkConfig> network_config(const config::Config& config, const guest::AddressPool& pool,
                                            std::string farm) {
  guest::NetworkConfig network;
  network.farm = std::move(farm);
  network.gateway4 = pool.gateway4_cidr();
  network.gateway6 = pool.gateway6_cidr();
  network.isolate = config.network.isolate;
  if (config.network.routed && config.network.uplink.empty()) {
    return Error(Kind::Invalid, "routed = true: there is no uplink to be routed by; set uplink too");
  }
  if (!config.network.uplink.empty()) {
    UMLFARM_ASSIGN(const guest::UplinkAddresses ends, guest::uplink_addresses(config.network.uplink));
    network.uplink = guest::UplinkConfig{ends};
    if (config.network.routed) {
      network.uplink->routed4 = config.network.pool4;
      if (posix::exists("/proc/sys/net/ipv6")) network.uplink->routed6 = config.network.pool6;
    }
    if (pool.contains4(ends.machine)) {
      return Error(Kind::Invalid, "uplink '" + config.network.uplink + "': lies in pool4 " +
                                      config.network.pool4 + "; choose a network outside of it");
    }
  }
  return network;
}

// A state that is gone must not take with it what it was the state of.
Status check_state_is_not_lost(const Paths& paths) {
  const auto database = posix::stat(paths.database());
  if (database && database->st_size > 0) return {};
  for (const std::string& home : {paths.guests(), paths.images(), paths.kernels()}) {
    UMLFARM_ASSIGN(const std::vector<std::string> names, posix::list_directory(home));
    if (names.empty()) continue;
    return Error(Kind::Conflict, paths.database() + " is missing or empty, and " + home + " holds " +
                                     std::to_string(names.size()) +
                                     " entries that only it can name; restore it from a backup, or move " +
                                     home + " away to begin anew");
  }
  return {};
}

// What is freed between parts that are not would stay this process's. The firewall's library alone takes 25
// KiB for each guest when it learns them all.
void give_memory_back() { (void)::malloc_trim(0); }

}  // namespace

Farm::Farm(Settings settings, FileLock lock, std::unique_ptr<StateStore> store, guest::AddressPool pool,
           std::unique_ptr<guest::FarmNetwork> network, boost::asio::io_context& loop)
    : settings_(std::move(settings)),
      lock_(std::move(lock)),
      store_(std::move(store)),
      pool_(pool),
      network_(std::move(network)),
      cgroups_(quota::Cgroups::discover(store_->farm_id(), settings_.paths.state())),
      disk_quota_(quota::find_disk_quota(settings_.paths.guests())),
      processors_(quota::Processors::available()),
      host_({settings_.libvirt, settings_.config.capacity.libvirt, settings_.paths.libvirt(),
             settings_.paths.state()}),
      table_(*store_, ledger_),
      traffic_(*store_),
      uses_(*store_),
      effects_({settings_.paths, settings_.config, *network_, pool_, cgroups_, *disk_quota_, processors_,
                settings_.supervisor, [this](const GuestRecord& record) { return tap_limits(record); },
                [this](const std::string& digest) { return loops_per_jiffy(digest); },
                [this](const GuestRecord& record) { count_last_use(record); }}),
      watcher_(loop, {[this](std::int64_t number, const auto& status) { on_status(number, status); },
                      [this](std::int64_t number, bool reached) { on_gone(number, reached); }}),
      reconciler_(
          table_, effects_, settings_.config.guests, loop,
          {[this](const auto& guest, const auto& kind, const auto& message) { event(guest, kind, message); },
           [this](std::int64_t number) {
             watcher_.follow(number, settings_.paths.supervisor_socket(guest_id(number)));
           },
           [this](Action action, double seconds, bool done) { tally_.add_work(action, seconds, done); }}),
      recount_(loop),
      rebalance_(loop),
      recount_traffic_(loop),
      reclaim_again_(loop),
      recount_uses_(loop),
      forget_again_(loop),
      watch_again_(loop),
      sample_again_(loop),
      watch_(settings_.config.watch),
      balance_(quota::Processors::available()) {}

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
  UMLFARM_TRY(check_state_is_not_lost(paths));
  UMLFARM_ASSIGN(std::unique_ptr<StateStore> store, open_sqlite_store(paths.database()));
  UMLFARM_ASSIGN(guest::AddressPool pool,
                 guest::AddressPool::parse(settings.config.network.pool4, settings.config.network.pool6));
  // What is to go needs no way out; and it must go on a machine that can't have one, too.
  if (!work) {
    settings.config.network.uplink.clear();
    settings.config.network.routed = false;
  }
  UMLFARM_ASSIGN(const guest::NetworkConfig wanted, network_config(settings.config, pool, store->farm_id()));
  UMLFARM_ASSIGN(std::unique_ptr<guest::FarmNetwork> network,
                 guest::FarmNetwork::open(paths.netns(), wanted));
  std::unique_ptr<Farm> farm(
      new Farm(std::move(settings), *std::move(lock), std::move(store), pool, std::move(network), loop));
  UMLFARM_TRY(farm->pick_up(work));
  return farm;
}

Status Farm::pick_up(bool work) {
  UMLFARM_ASSIGN(const std::string healed, table_.load());
  if (!healed.empty()) event("", "ledger", "what is promised was counted anew from the guests: " + healed);
  UMLFARM_TRY(traffic_.load());
  if (!work) return {};
  recount_host();
  for (const Catalog which : {Catalog::Images, Catalog::Kernels}) {
    UMLFARM_ASSIGN(const std::vector<CatalogEntry> entries, store_->catalog(which));
    UMLFARM_TRY(sweep(which, settings_.paths, entries));
    for (const CatalogEntry& entry : entries) loops_[entry.digest] = entry.loops_per_jiffy;
  }
  UMLFARM_TRY(sweep_residue());
  give_memory_back();
  const config::Guests& guests = settings_.config.guests;
  if (guests.balance_seconds != 0)
    keep_doing(rebalance_, std::chrono::seconds(guests.balance_seconds), [this] { balance_guests(); });
  // What is not counted now is counted then.
  keep_doing(recount_traffic_, kRecountTraffic, [this] { (void)!count_traffic(); });
  keep_doing(recount_uses_, kRecountUses, [this] {
    (void)!count_uses();
    (void)!forget_old_events();
    give_memory_back();
  });
  keep_doing(forget_again_, kForgetUses, [this] { (void)!forget_old_uses(); });
  keep_doing(watch_again_, kLookAtProcesses, [this] { watch_processes(); });
  if (const unsigned seconds = settings_.config.metrics.inside_seconds; seconds != 0)
    keep_doing(sample_again_, std::chrono::seconds(seconds), [this] { sample_insides(); });
  if (guests.reclaim_pressure < kNeverReclaim)
    keep_doing(reclaim_again_, kLookAtPressure, [this] { reclaim_memory(); });
  for (const GuestRecord& record : table_.records()) reconciler_.kick(record.number);
  return {};
}

void Farm::keep_doing(boost::asio::steady_timer& timer, std::chrono::seconds period,
                      const std::function<void()>& work) {
  timer.expires_after(period);
  timer.async_wait([this, &timer, period, work](const boost::system::error_code& stopped) {
    if (stopped) return;
    reconciler_.post([this, &timer, period, work] {
      work();
      // Only now, so that no two are at it at once.
      boost::asio::post(timer.get_executor(),
                        [this, &timer, period, work] { keep_doing(timer, period, work); });
    });
  });
}

void Farm::recount_host() {
  reconciler_.post([this] { host_.refresh(); });
  recount_.expires_after(kRecount);
  recount_.async_wait([this](const boost::system::error_code& stopped) {
    if (!stopped) recount_host();
  });
}

// What belongs to no guest: its row went, and the daemon with it, before its last trace.
Status Farm::sweep_residue() {
  std::vector<guest::LimitedPort> ports;
  std::vector<std::string> ids;
  for (const GuestRecord& record : table_.records()) {
    ids.push_back(record.id());
    // Without one it has nothing in the network, and nothing would take its entries back.
    if (posix::exists(settings_.paths.guest_run(record.id())))
      ports.push_back({port_of(record, pool_), tap_limits(record)});
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

Status Farm::tear_down_guest(const GuestRecord& record) {
  UMLFARM_TRY(effects_.perform(Action::KillRest, record));
  // Its supervisor has a last thing to write.
  const std::string run = settings_.paths.guest_run(record.id());
  for (int i = 0; i < 500 && supervisor_holds(run); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  for (const Action action : {Action::DetachNetwork, Action::RemoveCgroups, Action::RemoveRun}) {
    UMLFARM_TRY(effects_.perform(action, record));
  }
  return {};
}

Status Farm::tear_down() {
  stop_work();
  Status first;
  const auto note = [&first](Status done) {
    if (first && !done) first = std::move(done);
  };
  const std::vector<GuestRecord> records = table_.records();
  // All at once: those of each among the thousands of all others would take minutes to find. Who is left is
  // known by its guest below.
  Users users;
  for (const GuestRecord& record : records) users.insert(record.identity.uid);
  (void)!kill_processes_of(users);
  for (const GuestRecord& record : records) note(tear_down_guest(record));
  // The counters go with the network.
  note(count_traffic());
  note(cgroups_.remove_farm());
  note(network_->remove());
  return first;
}

}  // namespace umlfarm::daemon
