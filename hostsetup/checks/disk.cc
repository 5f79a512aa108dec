// Where guests' disks lie.
#include <sys/statvfs.h>

#include <boost/algorithm/string/classification.hpp>
#include <boost/algorithm/string/split.hpp>
#include <filesystem>
#include <optional>
#include <sstream>

#include "hostsetup/check.h"

namespace umlfarm::hostsetup {
namespace {

constexpr const char* kState = "/var/lib/umlfarm";
// An image and a few guests beside what is kept free.
constexpr std::uint64_t kLeastFree = std::uint64_t{1} << 30U;
constexpr std::uint64_t kFilesOfAGuest = 8;

struct Mount {
  std::string number;  // of its device, "254:1"; major 0 where it has none of its own
  std::string point;
  std::string type;
  std::string device;
  std::string options;  // of the mount and of the filesystem, between commas on both sides
};

std::optional<Mount> mount_of(const std::string& line) {
  std::vector<std::string> words;
  boost::split(words, line, boost::is_any_of(" "));
  const auto dash = std::find(words.begin(), words.end(), "-");
  if (words.size() < 6 || words.end() - dash < 4) return {};
  return Mount{words[2], words[4], dash[1], dash[2], "," + words[5] + "," + dash[3] + ","};
}

bool lies_below(const std::string& path, const std::string& point) {
  return point == "/" || path == point || path.starts_with(point + "/");
}

// The last mount of the longest path wins, as in the kernel.
Mount mount_holding(const Machine& machine, const std::string& named) {
  // It may be a link to where there is room.
  std::error_code error;
  const std::string real = std::filesystem::weakly_canonical(machine.at(named), error).string();
  const std::string path =
      !error && real.starts_with(machine.root()) ? real.substr(machine.root().size()) : named;
  Mount best;
  std::vector<std::string> lines;
  const std::string text = machine.text("/proc/self/mountinfo").value_or("");
  boost::split(lines, text, boost::is_any_of("\n"));
  for (const std::string& line : lines) {
    const auto mount = mount_of(line);
    if (mount && lies_below(path, mount->point) && mount->point.size() >= best.point.size()) best = *mount;
  }
  return best;
}

bool has_option(const Mount& mount, const std::string& option) {
  return mount.options.find("," + option + ",") != std::string::npos;
}

Finding inspect_kind(const Context& context) {
  const Mount mount = mount_holding(context.machine, kState);
  Finding finding = holds(mount.type + " at " + mount.point, "ext4, xfs or btrfs");
  if (mount.type == "tmpfs" || mount.type == "ramfs") {
    finding.reason = "volatile";
    finding.advice = "all guests are lost when the machine stops: mount a disk at /var/lib/umlfarm";
  } else if (has_option(mount, "ro")) {
    finding.reason = "read-only";
    finding.advice = "run 'mount -o remount,rw " + mount.point +
                     "'; where that fails the disk is damaged, and 'dmesg' says how";
  } else if (mount.type != "ext4" && mount.type != "xfs" && mount.type != "btrfs") {
    finding.reason = "other-filesystem";
    finding.advice = "umlfarm is tested on ext4, xfs and btrfs: mount one of them at /var/lib/umlfarm";
  }
  return finding;
}

// The one of these that the file names for the mount; empty where it names none.
std::string option_in_fstab(const Machine& machine, const Mount& mount,
                            const std::vector<std::string>& options) {
  std::istringstream lines(machine.text("/etc/fstab").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string device, point, type, list;
    words >> device >> point >> type >> list;
    if (device.starts_with('#') || point != mount.point) continue;
    for (const std::string& option : options) {
      if (("," + list + ",").find("," + option + ",") != std::string::npos) return option;
    }
  }
  return {};
}

Finding inspect_barriers(const Context& context) {
  const Mount mount = mount_holding(context.machine, kState);
  // One option of two names, of which the kernel shows the first.
  const std::vector<std::string> names{"nobarrier", "barrier=0"};
  const auto off = std::find_if(names.begin(), names.end(),
                                [&](const std::string& name) { return has_option(mount, name); });
  if (off == names.end()) return holds("barriers on", "barriers on");
  const std::string written = option_in_fstab(context.machine, mount, names);
  std::string advice = "run 'mount -o remount,barrier " + mount.point + "'";
  if (!written.empty())
    advice = "take '" + written + "' out of the options of " + mount.point + " in /etc/fstab, and " + advice;
  return {*off, "barriers on", "off", advice};
}

// 0 where the device, or the disk that it is a part of, does not say.
std::uint64_t most_discarded(const Machine& machine, const Mount& mount) {
  const std::string device = mount.number.starts_with("0:")
                                 ? "/sys/class/block/" + mount.device.substr(mount.device.rfind('/') + 1)
                                 : "/sys/dev/block/" + mount.number;
  for (const char* queue : {"/queue", "/../queue"}) {
    const auto most = machine.setting(device + queue + "/discard_max_bytes");
    if (most) return number_of(*most);
  }
  return 0;
}

Finding inspect_discard(const Context& context) {
  const Mount mount = mount_holding(context.machine, kState);
  const std::string should = "by fstrim.timer, or by the mount";
  if (most_discarded(context.machine, mount) == 0) return holds("a disk that takes none back", "as it is");
  for (const char* option : {"discard", "discard=async"}) {
    if (has_option(mount, option)) return holds("by the mount", should);
  }
  if (context.machine.answer({"systemctl", "is-enabled", "fstrim.timer"}) == "enabled")
    return holds("by fstrim.timer", should);
  return {"never", should, "never", "run 'systemctl enable --now fstrim.timer'"};
}

std::string nearest_directory(const Machine& machine) {
  std::string path = kState;
  while (path.size() > 1 && !machine.has(path)) path.resize(std::max<std::size_t>(path.rfind('/'), 1));
  return path;
}

Finding inspect_room(const Context& context) {
  struct statvfs room {};
  const std::string path = nearest_directory(context.machine);
  if (::statvfs(context.machine.at(path).c_str(), &room) < 0) {
    return {"unknown", "", "unknown", "the size of the filesystem at " + path + " cannot be read"};
  }
  const std::uint64_t free = room.f_bavail * room.f_frsize;
  const std::uint64_t least = context.farm.capacity.disk_reserve.bytes() + kLeastFree;
  const std::string is = std::to_string(free >> 20U) + " MiB free";
  const std::string should = "at least " + std::to_string(least >> 20U) + " MiB";
  if (free < least) {
    return {is, should, "full",
            "free space at " + path +
                ", mount a larger disk at /var/lib/umlfarm, or lower disk_reserve in "
                "[capacity] of /etc/umlfarm/umlfarm.toml"};
  }
  // Btrfs has no fixed number, and says 0.
  const std::uint64_t files = kFilesOfAGuest * context.profile.guests;
  if (room.f_files != 0 && room.f_favail < files) {
    return {std::to_string(room.f_favail) + " inodes free", "at least " + std::to_string(files), "no-inodes",
            "remove files at " + path + ", or make the filesystem anew with more inodes ('mke2fs -N')"};
  }
  return holds(is, should);
}

std::string quota_advice(const Mount& mount) {
  if (mount.type == "btrfs") return "run 'btrfs quota enable " + mount.point + "'";
  const std::string fstab = "add 'prjquota' to the options of " + mount.point + " in /etc/fstab";
  if (mount.type == "xfs") {
    return mount.point == "/"
               ? "add 'rootflags=prjquota' to GRUB_CMDLINE_LINUX in /etc/default/grub, run 'update-grub' and "
                 "restart the machine"
               : fstab + ", unmount it and mount it again";
  }
  const std::string tune = "'tune2fs -O project,quota -Q prjquota " + mount.device + "'";
  return mount.point == "/"
             ? "start the machine from a rescue system, run " + tune + " there, and " + fstab
             : "unmount " + mount.point + ", run " + tune + ", " + fstab + ", and mount it again";
}

Finding inspect_quota(const Context& context) {
  const Mount mount = mount_holding(context.machine, kState);
  if (mount.type == "btrfs") {
    const std::string device = mount.device.substr(mount.device.rfind('/') + 1);
    for (const std::string& id : context.machine.names("/sys/fs/btrfs")) {
      const std::string directory = "/sys/fs/btrfs/" + id;
      if (context.machine.has(directory + "/devices/" + device) &&
          context.machine.has(directory + "/qgroups")) {
        return holds("on", "on");
      }
    }
  } else if (has_option(mount, "prjquota") || has_option(mount, "pquota")) {
    return holds("on", "on");
  } else if (mount.type != "ext4" && mount.type != "xfs") {
    return {"none on " + mount.type, "on", "no-quota", "mount ext4, xfs or btrfs at /var/lib/umlfarm"};
  }
  return {"off", "on", "no-quota", quota_advice(mount)};
}

}  // namespace

std::vector<Check> disk_checks() {
  return {
      {"disk.filesystem", Severity::Must, "guests' disks lie on a filesystem that keeps them",
       "what a guest has synced must be there after the power has gone",
       "guest/kernel/FAULTS.md; tests/host/cuts", inspect_kind},
      {"disk.barriers", Severity::Must, "the filesystem waits for the disk",
       "without barriers a synced record may be in the disk's cache only, and is lost with the power",
       "ext4(5), barrier", inspect_barriers},
      {"disk.room", Severity::Must, "there is room for guests",
       "when the disk is full, writes of all guests fail at once", "umlfarm.toml(5), [capacity]",
       inspect_room},
      {"disk.discard", Severity::Should, "what guests have deleted is given back to the disk",
       "guests' disks are thin: what they no longer hold is free for others, and a solid-state disk, or the "
       "pool "
       "beneath a virtual one, fills up where it is never told",
       "fstrim(8); Documentation/ABI/stable/sysfs-block, discard_max_bytes", inspect_discard},
      {"disk.quota", Severity::Should, "the filesystem can limit what a directory holds",
       "each file of a guest is limited by itself; that all of them together are takes project quotas, or "
       "qgroups",
       "ext4(5), prjquota; xfs_quota(8); btrfs-quota(8)", inspect_quota},
  };
}

}  // namespace umlfarm::hostsetup
