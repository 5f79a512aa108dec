// The farm: everything that people can ask of it. Thread-safe; calls may block on the disk.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "guest/net/address_pool.h"
#include "guest/net/farm_network.h"
#include "provisioner/base/file_lock.h"
#include "provisioner/base/result.h"
#include "provisioner/config/config.h"
#include "provisioner/daemon/admission.h"
#include "provisioner/daemon/diagnosis.h"
#include "provisioner/daemon/effects.h"
#include "provisioner/daemon/guest_memory.h"
#include "provisioner/daemon/guest_table.h"
#include "provisioner/daemon/paths.h"
#include "provisioner/daemon/reconciler.h"
#include "provisioner/daemon/state_store.h"
#include "provisioner/daemon/tally.h"
#include "provisioner/daemon/traffic_book.h"
#include "provisioner/daemon/use_book.h"
#include "provisioner/daemon/watcher.h"
#include "quota/balance.h"
#include "quota/cgroups.h"
#include "quota/host_capacity.h"
#include "quota/ledger.h"
#include "quota/limits_change.h"
#include "quota/processors.h"
#include "quota/reclaim.h"
#include "quota/watch.h"

namespace umlfarm::daemon {

struct FarmStatus {
  std::map<std::string, unsigned> guests;  // by state
  quota::HostCapacity host;
  quota::Amounts promised;
  std::vector<std::string> notices;  // what this host can't do, for people
  std::vector<Problem> problems;     // what is wrong right now
  quota::HostLoad load;
  std::string disk_quota;  // what holds guests' disks, for people
};

// A tenant and what its guests are promised.
struct TenantAccount {
  Tenant tenant;
  quota::Amounts promised;
  std::map<std::string, quota::Amounts> users;  // those that have guests, by name
};

struct LimitsRequest {
  std::string plan;  // by name; empty: stays
  quota::LimitsChange change;
  bool restart = false;
};

struct LimitsReport {
  Guest guest;  // as it is now
  quota::Limits before;
  quota::Limits asked;
  quota::Limits given;
  // Of the guest's memory, what the host holds. Zero where the guest does not run.
  ByteSize held_before;
  ByteSize held_now;
  bool restarts = false;  // and gets it so
};
// For people, in one line.
std::string describe(const LimitsReport& report);

class Farm {
 public:
  struct Settings {
    Paths paths;
    config::Config config;
    std::string supervisor;  // the programs
    std::string libvirt;
  };

  // Takes the farm's lock: Conflict while another daemon runs on the same state. Brings up the network and,
  // with `work`, picks up every guest where it is.
  static Result<std::unique_ptr<Farm>> open(Settings settings, boost::asio::io_context& loop, bool work);
  ~Farm();

  const Paths& paths() const { return settings_.paths; }
  // Tells it from others.
  std::string id() const { return store_->farm_id(); }
  const config::Config& config() const { return settings_.config; }
  const guest::AddressPool& pool() const { return pool_; }
  std::vector<int> processors_of(const std::string& id) const { return processors_.of(id); }

  Result<std::vector<Guest>> create(const CreateRequest& request);
  std::vector<Guest> list() const { return table_.all(); }
  Result<Guest> find(const std::string& name) const { return table_.find(name); }
  // Ask for a state; it is reached later, or the guest says why not.
  Result<Guest> start(const std::string& name);
  Result<Guest> stop(const std::string& name, std::optional<std::int64_t> patience_ms);
  Result<Guest> restart(const std::string& name);
  Result<Guest> remove(const std::string& name);
  // Has it stand still, whatever is desired of it, until it is unsuspended.
  Result<Guest> suspend(const std::string& name, const std::string& reason);
  Result<Guest> unsuspend(const std::string& name);

  // Changes what a guest is promised and can use, while it runs where that is possible. Conflict where it is
  // not and a restart is not asked for.
  Result<LimitsReport> set_limits(const std::string& name, const LimitsRequest& request);
  // What it uses right now; all zero for one that does not run.
  quota::Usage usage(const Guest& guest) const { return cgroups_.usage(guest.record.id()); }
  // What guests' taps have carried, for traffic(): where they can't be read, what was counted last is all
  // that there is to tell.
  std::optional<guest::Counters> counters() { return optional_of(network_->counters()); }
  quota::Traffic traffic(const Guest& guest, const guest::Counters& counters) const;
  // Packets that there was no room for, by tap.
  std::optional<std::map<std::string, quota::Carried>> dropped() { return optional_of(network_->dropped()); }
  Tally& tally() { return tally_; }
  // What guests have used, up to now. Invalid where that is more than is told at once.
  Result<std::vector<UseSum>> uses(const UseQuery& query);
  // For bills, what was used since that was last counted.
  void count_now();
  // What its kernel says of itself, right now.
  Result<quota::Inside> inside(const std::string& name);
  // With what its supervisor says right now.
  Result<Guest> look(const std::string& name);

  Result<std::string> mconsole(const std::string& name, const std::string& command);
  // A connection to a port of a guest, from inside the farm's network.
  Result<UniqueFd> connect(const std::string& name, std::uint16_t port);

  Result<std::vector<CatalogEntry>> catalog(Catalog which) { return store_->catalog(which); }
  // Reads `from` by the right of the user `asker`.
  Result<CatalogEntry> add(Catalog which, const std::string& from, const std::string& name, uid_t asker);
  // Conflict when its file is no longer what was taken in.
  Result<CatalogEntry> verify(Catalog which, const std::string& asked);
  // Conflict while a guest uses it.
  Result<CatalogEntry> remove(Catalog which, const std::string& asked);

  Result<std::vector<Event>> events(const EventQuery& query) { return store_->events(query); }
  Result<FarmStatus> status();
  // Notes what was asked of the guest, and by asked_now() who asked; empty: of the farm.
  void note_asked(const std::string& guest, const std::string& what);
  // For status(), from now on.
  void add_notice(const std::string& notice);

  Result<std::vector<TenantAccount>> tenants();
  Result<TenantAccount> tenant(const std::string& name);
  // Makes a tenant. Conflict for one that is there.
  Result<TenantAccount> add_tenant(const Tenant& tenant);
  // What is promised already stays; where that is more than a new limit, nothing is added.
  Result<TenantAccount> set_tenant(const std::string& name,
                                   const std::function<Result<Tenant>(Tenant)>& change);
  // Conflict while it has guests, and for the default one.
  Result<TenantAccount> remove_tenant(const std::string& name);

  // Ends what needs no daemon to go on, guests excepted: they stay.
  void stop_work();
  // Kills all guests and removes everything that the farm made on this host outside its root directory. Only
  // its state on disk is left. Goes as far as it can; the first error says what stayed.
  Status tear_down();

 private:
  template <typename T>
  static std::optional<T> optional_of(Result<T> result) {
    return result ? std::optional<T>(*std::move(result)) : std::nullopt;
  }
  Farm(Settings settings, FileLock lock, std::unique_ptr<StateStore> store, guest::AddressPool pool,
       std::unique_ptr<guest::FarmNetwork> network, boost::asio::io_context& loop);

  Status pick_up(bool work);
  Status sweep_residue();
  // From now on again and again, each time by a worker and never by two.
  void keep_doing(boost::asio::steady_timer& timer, std::chrono::seconds period,
                  const std::function<void()>& work);
  // By one thread at a time.
  void reclaim_memory();
  void reclaim_from(const Guest& guest);
  // Adds up what guests' taps have carried, and holds taps to what follows from it.
  Status count_traffic();
  quota::UseReading read_use(const Guest& guest, const quota::Moment& at) const;
  Status count_uses();
  // Of one alone, before something about it changes.
  Status count_use_of(std::int64_t number);
  // While its counters are still there.
  void count_last_use(const GuestRecord& record);
  Status forget_old_uses();
  Status forget_old_events();
  // Both by one thread at a time.
  void watch_processes();
  void sample_insides();
  Result<quota::Inside> ask_inside(const GuestRecord& record) const;
  quota::TapLimits tap_limits(const GuestRecord& record) const;
  void forget_taps_of_others(const std::vector<GuestRecord>& records);
  // As it is promised and has been used up. Nothing where it is so already.
  Status limit_network(const GuestRecord& record);
  // The same for limits that it is not promised yet, with taps_mutex_ held.
  Status limit_tap(const GuestRecord& record, const quota::Limits& limits);
  // Now and each minute from now on: what there is on this host beside the farm.
  void recount_host();
  Result<Guest> change(const std::string& name, const std::function<Status(GuestRecord&)>& change);
  // Has the guest brought to where its record says. Until it is there, what becomes of it follows from this
  // request, where it turned the guest or finds it on its way.
  void follow_up(const GuestRecord& record, bool turned);
  class Hold;
  // By its management console.
  Result<std::string> ask_kernel(const GuestRecord& record, const std::string& command) const;
  GuestMemory memory_of(const GuestRecord& record) const;
  Result<ByteSize> memory_held(const GuestRecord& record) const;
  Result<quota::AccountBounds> bounds_for(const GuestRecord& record);
  Result<LimitsReport> change_limits(const Guest& guest, const LimitsRequest& request);
  Result<ByteSize> move_memory(const GuestRecord& record, LimitsReport& report) const;
  Status apply_limits(const GuestRecord& record, const std::function<Status(const quota::Limits&)>& write,
                      LimitsReport& report);
  // By one thread at a time.
  void balance_guests();
  void move_guest(const quota::Move& move);
  Status take_memory(const GuestRecord& record, const std::function<Status(const quota::Limits&)>& write,
                     LimitsReport& report);
  void refit(std::int64_t number);
  // Of the start at that moment; tried again after `patience_ms`, and then after longer and longer.
  void fit_memory(std::int64_t number, std::int64_t started_ms, std::int64_t patience_ms);
  Status fit_held(const GuestRecord& record) const;
  Status fit_memory_of(const GuestRecord& record) const;
  Status fit_disk(const GuestRecord& record) const;
  Status grow_disk(const GuestRecord& record) const;
  Status tear_down_guest(const GuestRecord& record);
  void on_status(std::int64_t number, const guest::SupervisorStatus& status);
  void on_room(std::int64_t number, bool waits);
  void keep_news(std::int64_t number, const guest::SupervisorStatus& status, bool ailing);
  void on_gone(std::int64_t number, bool reached);
  void learn_loops_per_jiffy(const GuestRecord& record);
  std::uint64_t loops_per_jiffy(const std::string& kernel_digest);
  void event(const std::string& guest, const std::string& kind, const std::string& message);

  Settings settings_;
  FileLock lock_;
  std::unique_ptr<StateStore> store_;
  guest::AddressPool pool_;
  std::unique_ptr<guest::FarmNetwork> network_;
  quota::Cgroups cgroups_;
  std::unique_ptr<quota::DiskQuota> disk_quota_;
  quota::Processors processors_;
  quota::HostAccount host_;
  quota::Ledger ledger_;
  GuestTable table_;
  TrafficBook traffic_;
  UseBook uses_;
  Tally tally_;
  Effects effects_;
  Watcher watcher_;
  Reconciler reconciler_;
  boost::asio::steady_timer recount_;
  boost::asio::steady_timer rebalance_;
  boost::asio::steady_timer recount_traffic_;
  boost::asio::steady_timer reclaim_again_;
  boost::asio::steady_timer recount_uses_;
  boost::asio::steady_timer forget_again_;
  boost::asio::steady_timer watch_again_;
  boost::asio::steady_timer sample_again_;
  // What watch_processes() alone uses.
  struct Processes {
    std::uint64_t cpu_ns = 0;
    std::int64_t at_ms = 0;
    std::map<int, std::uint64_t> ticks;  // by thread; empty where they were not looked at
  };
  quota::Watch watch_;
  std::map<std::string, Processes> processes_seen_;  // by guest's id
  // What balance_guests() alone uses.
  struct Spent {
    std::uint64_t cpu_ns = 0;
    std::int64_t at_ms = 0;
  };
  quota::Balance balance_;
  std::map<std::string, Spent> spent_;  // by guest's id
  quota::Reclaim reclaim_;              // reclaim_memory()'s alone
  // A lock is taken while one above it is held, never the other way round.
  std::mutex admission_;         // from looking at names, numbers and tenants to writing them
  std::mutex library_;           // images and kernels get their place and lose it one at a time
  std::mutex counting_traffic_;  // from reading taps' counters to keeping what they say
  std::mutex taps_mutex_;        // from looking at a guest's limits to writing them to its tap
  std::map<std::int64_t, quota::TapLimits> tap_limits_;  // as they were last written
  std::map<std::int64_t, std::string> tap_faults_;       // why they could not be
  std::mutex notices_mutex_;
  std::vector<std::string> notices_;
  std::mutex loops_mutex_;
  std::map<std::string, std::uint64_t> loops_;  // by kernel digest
};

// "creating", "starting", "ready", "unhealthy", "stopping", "stopped", "suspended", "failed" or "deleting",
// and why.
struct GuestState {
  std::string name;
  std::string reason;
};
GuestState state_of(const Guest& guest, std::int64_t now_ms, unsigned ready_seconds);
// Whether it is not yet where its record says that it should be.
bool is_on_its_way(const GuestRecord& record, const Live& live);

}  // namespace umlfarm::daemon
