// Qgroups of Btrfs: each guest's directory is a subvolume, and what it refers to is held.
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "provisioner/base/posix.h"
#include "quota/disk_quota.h"

namespace umlfarm::quota {
namespace {

// Seed, log and what Btrfs has of its own for a subvolume.
constexpr ByteSize kBeside = ByteSize::mib(8);
// Extents of 4 KiB, as written at random, take 78 bytes each in blocks that are two thirds full.
constexpr std::uint64_t kExtentsPart = 35;
constexpr const char* kUnfinished = ".new";

Result<UniqueFd> open_directory(const std::string& path) { return posix::open(path, O_RDONLY | O_DIRECTORY); }

// A subvolume's root always has this number.
Result<bool> is_subvolume(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) < 0) return system_error("stat a guest's directory");
  return info.st_ino == BTRFS_FIRST_FREE_OBJECTID;
}

Result<std::uint64_t> subvolume_of(int fd) {
  btrfs_ioctl_ino_lookup_args found{};
  found.objectid = BTRFS_FIRST_FREE_OBJECTID;
  if (::ioctl(fd, BTRFS_IOC_INO_LOOKUP, &found) < 0) return system_error("look for a subvolume's number");
  return found.treeid;
}

std::string uuid_text(const std::array<unsigned char, BTRFS_FSID_SIZE>& id) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < id.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kDigits[id.at(i) >> 4U];
    text += kDigits[id.at(i) & 15U];
  }
  return text;
}

bool is_on(const std::string& state) {
  const auto fd = open_directory(state);
  btrfs_ioctl_fs_info_args info{};
  if (!fd || ::ioctl(fd->get(), BTRFS_IOC_FS_INFO, &info) < 0) return false;
  std::array<unsigned char, BTRFS_FSID_SIZE> id{};
  std::memcpy(id.data(), info.fsid, id.size());
  return posix::exists("/sys/fs/btrfs/" + uuid_text(id) + "/qgroups");
}

Status make_subvolume(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string name = path.substr(slash + 1);
  UMLFARM_ASSIGN(const UniqueFd parent, open_directory(path.substr(0, slash)));
  btrfs_ioctl_vol_args made{};
  if (name.size() >= sizeof made.name) return Error(Kind::Invalid, path + ": its name is too long");
  std::memcpy(made.name, name.c_str(), name.size() + 1);
  if (::ioctl(parent.get(), BTRFS_IOC_SUBVOL_CREATE, &made) < 0) {
    return system_error("make subvolume " + path);
  }
  UMLFARM_ASSIGN(const UniqueFd own, open_directory(path));
  if (::fchmod(own.get(), 0700) < 0) return system_error("set the mode of " + path);
  // What is written over stays where it is: an extent that is kept for a part of it would count whole.
  int flags = 0;
  if (::ioctl(own.get(), FS_IOC_GETFLAGS, &flags) < 0) return system_error("flags of " + path);
  flags |= FS_NOCOW_FL;
  if (::ioctl(own.get(), FS_IOC_SETFLAGS, &flags) < 0) return system_error("set the flags of " + path);
  return {};
}

class Qgroups final : public DiskQuota {
 public:
  std::string text() const override { return "qgroups of Btrfs, for guests made since they are on"; }

  // Under its name only when it is finished.
  Status make_directory(const std::string& path) const override {
    if (posix::exists(path)) return {};
    UMLFARM_TRY(posix::remove_tree(path + kUnfinished));
    UMLFARM_TRY(make_subvolume(path + kUnfinished));
    if (::rename((path + kUnfinished).c_str(), path.c_str()) < 0) return system_error("rename to " + path);
    return {};
  }

  // An extent counts whole for as long as a part of it is in use.
  bool takes_holes() const override { return false; }

  Status hold(const std::string& directory, const std::vector<std::string>&, std::uint32_t,
              ByteSize most) const override {
    UMLFARM_ASSIGN(const UniqueFd fd, open_directory(directory));
    UMLFARM_ASSIGN(const bool own, is_subvolume(fd.get()));
    // From before quotas were on.
    if (!own) return {};
    UMLFARM_ASSIGN(const std::uint64_t subvolume, subvolume_of(fd.get()));
    btrfs_ioctl_qgroup_limit_args limit{};
    limit.qgroupid = subvolume;
    limit.lim.flags = BTRFS_QGROUP_LIMIT_MAX_RFER;
    limit.lim.max_rfer = (most + kBeside).bytes() + most.bytes() / kExtentsPart;
    if (::ioctl(fd.get(), BTRFS_IOC_QGROUP_LIMIT, &limit) < 0)
      return system_error("limit the qgroup of " + directory);
    return {};
  }

  Status remove_directory(const std::string& path, std::uint32_t) const override {
    const auto fd = open_directory(path);
    if (!fd) return posix::remove_tree(path);
    UMLFARM_ASSIGN(const bool own, is_subvolume(fd->get()));
    btrfs_ioctl_qgroup_create_args group{};
    if (own) {
      UMLFARM_ASSIGN(group.qgroupid, subvolume_of(fd->get()));
    }
    // An empty subvolume goes as an empty directory does.
    UMLFARM_TRY(posix::remove_tree(path));
    if (!own) return {};
    UMLFARM_ASSIGN(const UniqueFd parent, open_directory(path.substr(0, path.rfind('/'))));
    // Newer kernels keep it until the subvolume is cleared away, and clear it away themselves.
    (void)::ioctl(parent.get(), BTRFS_IOC_QGROUP_CREATE, &group);
    return {};
  }
};

}  // namespace

std::unique_ptr<DiskQuota> qgroup_quota(const std::string& state) {
  if (!is_on(state)) return nullptr;
  return std::make_unique<Qgroups>();
}

}  // namespace umlfarm::quota
