#include "provisioner/daemon/effects.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>

#include "guest/boot/command_line.h"
#include "guest/boot/kernel_libraries.h"
#include "guest/disk/cow.h"
#include "guest/disk/seed.h"
#include "guest/disk/staged_file.h"
#include "guest/disk/swap.h"
#include "guest/supervisor/spec.h"
#include "provisioner/base/clock.h"
#include "provisioner/base/posix.h"
#include "provisioner/daemon/exit_policy.h"
#include "provisioner/daemon/guest_processes.h"
#include "provisioner/daemon/launcher.h"
#include "provisioner/daemon/supervisor_client.h"

namespace umlfarm::daemon {
namespace {

// Until a supervisor that does not answer counts as hanging, and is killed with its guest.
constexpr int kHangsMs = 30'000;
constexpr int kHangsAtOnceMs = 5000;

std::string disk_inside(const std::string& name) { return "/disks/" + name; }

guest::BootSpec boot_spec(const GuestRecord& record, const std::string& base, std::uint64_t loops,
                          bool trims) {
  const GuestIdentity& identity = record.identity;
  guest::BootSpec boot;
  boot.memory = quota::boot_memory(record.limits);
  boot.disk = disk_inside("root.cow");
  boot.trims = trims;
  boot.base = base;
  boot.seed = disk_inside("seed.tar");
  if (record.limits.swap.bytes() != 0) boot.swap = disk_inside("swap.img");
  for (std::size_t i = 0; i < identity.extra_disks.size(); ++i) {
    boot.extras.push_back(disk_inside("extra" + std::to_string(i)));
  }
  boot.mac = identity.mac;
  boot.loops_per_jiffy = loops;
  boot.processors = record.limits.processors;
  boot.kernel = identity.kernel_features;
  return boot;
}

std::vector<guest::JailFile> jail_files(const GuestRecord& record, const Paths& paths,
                                        const guest::BootSpec& boot) {
  const std::string id = record.id();
  std::vector<guest::JailFile> files{{paths.disk(id), boot.disk, true, false},
                                     {paths.image(record.identity.image_digest), boot.base, false, false},
                                     {paths.seed(id), boot.seed, false, false}};
  if (!boot.swap.empty()) files.push_back({paths.swap(id), boot.swap, true, false});
  for (std::size_t i = 0; i < boot.extras.size(); ++i) {
    files.push_back({record.identity.extra_disks[i], boot.extras[i], false, false});
  }
  return files;
}

// Bytes of the longest file that the guest writes, when that of its disk has so many.
std::uint64_t longest_file(const GuestRecord& record, std::uint64_t disk) {
  return std::max({disk, quota::memory_file_size(record.limits).bytes(), record.limits.swap.bytes()});
}

// The base as it is and as the guest kernel will find it in its jail.
guest::CowBase base_of(const GuestRecord& record, const Paths& paths) {
  return {paths.image(record.identity.image_digest), disk_inside("base.img")};
}

}  // namespace

std::string tap_of(const GuestRecord& record) { return "t" + record.id(); }

guest::Port port_of(const GuestRecord& record, const guest::AddressPool& pool) {
  const guest::Addresses addresses = pool.at(record.identity.address);
  return {tap_of(record), record.identity.mac, addresses.address4, addresses.address6};
}

Observed Effects::observe(const GuestRecord& record) const {
  const Paths& paths = parts_.paths;
  const std::string id = record.id();
  Observed observed;
  observed.run_directory = posix::exists(paths.guest_run(id));
  observed.directory = posix::exists(paths.guest(id));
  observed.disk = posix::exists(paths.disk(id));
  observed.seed = posix::exists(paths.seed(id));
  // Its socket before its lock: it makes the one while it holds the other.
  const bool socket = posix::exists(paths.supervisor_socket(id));
  observed.supervised = observed.run_directory && supervisor_holds(paths.guest_run(id));
  observed.exit_recorded = posix::exists(paths.exit_file(id));
  observed.vanished =
      socket && !observed.supervised && !observed.exit_recorded && posix::exists(paths.supervisor_socket(id));
  return observed;
}

Status Effects::perform(Action action, const GuestRecord& record) {
  const std::string id = record.id();
  switch (action) {
    case Action::MakeDirectory:
      return make_directory(record);
    case Action::MakeDisk:
      return make_disk(record);
    case Action::MakeSwap:
      return make_swap(record);
    case Action::MakeSeed:
      return make_seed(record);
    case Action::MakeRun:
      return make_run(record);
    case Action::MakeCgroups:
      return parts_.cgroups.apply(id, record.limits);
    case Action::Launch:
      return launch(record);
    case Action::Stop:
      return stop(record);
    case Action::KillRest:
      return kill_processes_of({record.identity.uid});
    case Action::DetachNetwork:
      return parts_.network.detach_guest(port_of(record, parts_.pool));
    case Action::RemoveCgroups:
      parts_.count_last_use(record);
      return parts_.cgroups.remove(id);
    case Action::RemoveRun:
      return remove_run(record);
    case Action::RemoveFiles:
      UMLFARM_TRY(parts_.network.forget_count(tap_of(record)));
      return parts_.disk_quota.remove_directory(parts_.paths.guest(id), record.identity.uid);
    case Action::RecordExit:
    case Action::Forget:
      break;
  }
  return Error(Kind::Internal, "no such effect");
}

Status Effects::make_directory(const GuestRecord& record) {
  UMLFARM_TRY(parts_.disk_quota.make_directory(parts_.paths.guest(record.id())));
  return posix::sync_directory(parts_.paths.guests());
}

Status Effects::make_disk(const GuestRecord& record) {
  const GuestIdentity& identity = record.identity;
  std::optional<std::uint64_t> size;
  if (identity.kernel_features.growing_disks) size = record.limits.disk.bytes();
  return guest::create_cow(parts_.paths.disk(record.id()), base_of(record, parts_.paths), 0600, identity.uid,
                           identity.uid, size);
}

Status Effects::hold_disk(const GuestRecord& record) const {
  const Paths& paths = parts_.paths;
  std::vector<std::string> files{paths.disk(record.id())};
  if (record.limits.swap.bytes() != 0) files.push_back(paths.swap(record.id()));
  return parts_.disk_quota.hold(paths.guest(record.id()), files, record.identity.uid,
                                quota::held_on_disk(record.limits));
}

Status Effects::grow_disk(const GuestRecord& record) const {
  UMLFARM_TRY(hold_disk(record));
  UMLFARM_ASSIGN(const std::uint64_t disk,
                 guest::grow_cow(parts_.paths.disk(record.id()), record.limits.disk.bytes()));
  return allow_files_of(record.identity.uid, longest_file(record, disk));
}

ByteSize Effects::most_disk(const GuestRecord& record) const {
  if (!record.identity.kernel_features.growing_disks) return record.limits.disk;
  const std::string path = parts_.paths.disk(record.id());
  if (!posix::exists(path)) return quota::kMostDisk;
  const auto info = guest::inspect_cow(path);
  // It may be promised more by now; one that says more than that was written by its guest.
  const bool sound = info && info->size <= record.limits.disk.bytes();
  return sound ? ByteSize(info->most_size) : record.limits.disk;
}

Status Effects::make_swap(const GuestRecord& record) {
  const GuestIdentity& identity = record.identity;
  UMLFARM_TRY(posix::remove_file(parts_.paths.swap(record.id())));
  return guest::create_swap(parts_.paths.swap(record.id()), record.limits.swap, 0600, identity.uid,
                            identity.uid);
}

Status Effects::make_seed(const GuestRecord& record) {
  const GuestIdentity& identity = record.identity;
  const guest::Addresses addresses = parts_.pool.at(identity.address);
  guest::Seed seed;
  seed.seed_id = identity.seed_id;
  seed.name = record.name;
  seed.hostname = record.name;
  seed.mac = identity.mac;
  seed.address4 = addresses.address4;
  seed.gateway4 = addresses.gateway4;
  seed.address6 = addresses.address6;
  seed.gateway6 = addresses.gateway6;
  seed.dns = parts_.config.network.dns;
  seed.swap = record.limits.swap.bytes() != 0;
  if (!identity.root_password_hash.empty()) seed.root_password_hash = identity.root_password_hash;
  seed.machine_id = identity.machine_id;
  seed.ssh_keys = identity.ssh_keys;
  seed.host_key = {identity.host_key_public, identity.host_key_openssh, identity.host_key_dropbear};
  UMLFARM_ASSIGN(const std::string tar, guest::seed_tar(seed));
  UMLFARM_ASSIGN(guest::StagedFile staged, guest::StagedFile::create(parts_.paths.seed(record.id()), 0440));
  // The guest's user reads it, before it is there for anyone.
  if (::fchown(staged.fd(), 0, identity.uid) < 0) return system_error("give the seed to the guest");
  UMLFARM_TRY(posix::write_all(staged.fd(), tar));
  return staged.publish();
}

Status Effects::make_run(const GuestRecord& record) {
  UMLFARM_TRY(posix::make_directories(parts_.paths.guest_run(record.id()), 0700));
  return posix::make_directories(parts_.paths.jail(record.id()), 0700);
}

Status Effects::launch(const GuestRecord& record) {
  const Paths& paths = parts_.paths;
  const GuestIdentity& identity = record.identity;
  const std::string id = record.id();
  const guest::CowBase base = base_of(record, paths);
  // UML would boot without the disk and report success.
  UMLFARM_TRY(guest::verify_cow(paths.disk(id), base));
  // It may have been promised more since it last ran, and its header says no more than that.
  UMLFARM_ASSIGN(const std::uint64_t disk, guest::grow_cow(paths.disk(id), record.limits.disk.bytes()));
  UMLFARM_TRY(hold_disk(record));
  const guest::BootSpec boot = boot_spec(record, base.seen_as, parts_.loops_per_jiffy(identity.kernel_digest),
                                         parts_.disk_quota.takes_holes());
  guest::SupervisorSpec spec;
  guest::JailSpec& jail = spec.jail;
  UMLFARM_ASSIGN(jail.arguments, guest::kernel_arguments(boot));
  jail.id = id;
  jail.root = paths.jail(id);
  jail.kernel = paths.kernel(identity.kernel_digest);
  jail.files = jail_files(record, paths, boot);
  UMLFARM_ASSIGN(const std::vector<guest::JailFile> libraries, guest::kernel_libraries(jail.kernel));
  jail.files.insert(jail.files.end(), libraries.begin(), libraries.end());
  jail.memory_bytes = quota::memory_file_size(record.limits).bytes();
  jail.uid = identity.uid;
  jail.gid = identity.uid;
  jail.processors = parts_.processors.assign(id, record.limits.processors);
  jail.seccomp_userspace = identity.kernel_features.seccomp;
  // In this mode the kernel has a socket for each of the guest's processes.
  if (jail.seccomp_userspace) jail.max_open_files += record.limits.processes;
  jail.cgroups = parts_.cgroups.directories(id);
  jail.max_processes = quota::group_processes(record.limits);
  jail.max_file_bytes = longest_file(record, disk);
  jail.most_file_bytes = longest_file(record, disk - record.limits.disk.bytes() + most_disk(record).bytes());
  spec.run_directory = paths.guest_run(id);
  spec.log_file = paths.console_log(id);
  spec.exit_file = paths.exit_file(id);
  spec.ready_text = guest::kReadyText;
  UMLFARM_ASSIGN(UniqueFd tap,
                 parts_.network.attach_guest({port_of(record, parts_.pool), parts_.tap_limits(record)}));
  return launch_supervisor(parts_.supervisor, std::move(spec), std::move(tap));
}

Status Effects::stop(const GuestRecord& record) {
  const bool kill = record.desired == Desired::Absent;
  const std::string request = kill ? "kill" : "stop " + std::to_string(record.stop_patience_ms);
  const auto asked =
      ask_supervisor(parts_.paths.supervisor_socket(record.id()), request, kill ? kHangsAtOnceMs : kHangsMs);
  // One that has gone already needs no telling.
  if (asked || asked.error().kind() == Kind::Unavailable) return {};
  if (asked.error().kind() != Kind::Timeout) return asked.error();
  UMLFARM_TRY(kill_supervisor_of(parts_.paths.guest_run(record.id())));
  return kill_processes_of({record.identity.uid});
}

Status Effects::remove_run(const GuestRecord& record) {
  parts_.processors.release(record.id());
  UMLFARM_TRY(posix::remove_tree(parts_.paths.jail(record.id())));
  return posix::remove_tree(parts_.paths.guest_run(record.id()));
}

Result<ExitNotice> Effects::read_exit(const GuestRecord& record) const {
  UMLFARM_ASSIGN(ExitNotice notice, read_exit_record(record));
  return with_cause(std::move(notice), record.limits, parts_.cgroups.usage(record.id(), "memory"));
}

Result<ExitNotice> Effects::read_exit_record(const GuestRecord& record) const {
  const auto text = posix::read_file(parts_.paths.exit_file(record.id()));
  if (!text && text.error().kind() == Kind::NotFound) {
    return ExitNotice{"crashed", "its supervisor ended and left no record", wall_clock_ms()};
  }
  if (!text) return text.error();
  try {
    const boost::json::value value = boost::json::parse(*text);
    return ExitNotice{boost::json::value_to<std::string>(value.at("cause")),
                      boost::json::value_to<std::string>(value.at("detail")),
                      value.at("time_ms").to_number<std::int64_t>()};
  } catch (const std::exception& failure) {
    return ExitNotice{"crashed", std::string("unreadable exit record: ") + failure.what(), wall_clock_ms()};
  }
}

Status Effects::clear_exit(const GuestRecord& record) const {
  UMLFARM_TRY(posix::remove_file(parts_.paths.supervisor_socket(record.id())));
  return posix::remove_file(parts_.paths.exit_file(record.id()));
}

}  // namespace umlfarm::daemon
