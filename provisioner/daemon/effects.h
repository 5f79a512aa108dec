// The hands of the reconciler: looks at one guest, and does one action to it. Thread-safe for different
// guests; one guest is worked on by one thread at a time.
#pragma once

#include <functional>
#include <string>

#include "guest/net/address_pool.h"
#include "guest/net/farm_network.h"
#include "provisioner/base/result.h"
#include "provisioner/config/config.h"
#include "provisioner/daemon/guest_record.h"
#include "provisioner/daemon/paths.h"
#include "provisioner/daemon/reconcile.h"
#include "quota/cgroups.h"
#include "quota/disk_quota.h"
#include "quota/processors.h"

namespace umlfarm::daemon {

struct ExitNotice {
  std::string cause;   // as umlfarm-supervisor names it
  std::string detail;  // for people
  std::int64_t time_ms = 0;
};

class Effects {
 public:
  struct Parts {
    const Paths& paths;
    const config::Config& config;
    guest::FarmNetwork& network;
    const guest::AddressPool& pool;
    const quota::Cgroups& cgroups;
    const quota::DiskQuota& disk_quota;
    quota::Processors& processors;
    std::string supervisor;  // the program
    // What the guest's tap is held to right now.
    std::function<quota::TapLimits(const GuestRecord&)> tap_limits;
    // The kernel's loops_per_jiffy on this host; 0: not known yet.
    std::function<std::uint64_t(const std::string& kernel_digest)> loops_per_jiffy;
    // The guest's control groups are about to go, and what they have counted with them.
    std::function<void(const GuestRecord&)> count_last_use;
  };
  explicit Effects(Parts parts) : parts_(std::move(parts)) {}

  Observed observe(const GuestRecord& record) const;

  // Every action but RecordExit and Forget, which belong to the store.
  Status perform(Action action, const GuestRecord& record);

  // One that is missing or unreadable counts as a crash.
  Result<ExitNotice> read_exit(const GuestRecord& record) const;
  // Has the disk be as large as is promised, and lets the guest's processes write that far: its kernel is to
  // be told next.
  Status grow_disk(const GuestRecord& record) const;

  // The largest that its disk can become; as large as it is, where its kernel can't have that.
  ByteSize most_disk(const GuestRecord& record) const;

  // The record, and what a supervisor that left none has left.
  Status clear_exit(const GuestRecord& record) const;

 private:
  Result<ExitNotice> read_exit_record(const GuestRecord& record) const;
  Status make_directory(const GuestRecord& record);
  Status make_disk(const GuestRecord& record);
  Status make_swap(const GuestRecord& record);
  Status make_seed(const GuestRecord& record);
  Status make_run(const GuestRecord& record);
  Status launch(const GuestRecord& record);
  Status stop(const GuestRecord& record);
  Status remove_run(const GuestRecord& record);
  Status hold_disk(const GuestRecord& record) const;

  Parts parts_;
};

// "tg17" of the guest "g17".
std::string tap_of(const GuestRecord& record);
// The guest's place in the farm's network.
guest::Port port_of(const GuestRecord& record, const guest::AddressPool& pool);

}  // namespace umlfarm::daemon
