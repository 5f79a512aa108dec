#include "quota/disk_quota.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include "provisioner/base/posix.h"

namespace umlfarm::quota {
namespace {

constexpr long kXfsMagic = 0x58465342;

class NoQuota final : public DiskQuota {
 public:
  explicit NoQuota(std::string why) : why_(std::move(why)) {}
  std::string text() const override { return "none: " + why_ + "; the length of its files holds a guest"; }
  Status hold(const std::string&, const std::vector<std::string>&, std::uint32_t, ByteSize) const override {
    return {};
  }

 private:
  std::string why_;
};

}  // namespace

Status DiskQuota::make_directory(const std::string& path) const {
  return posix::make_directories(path, 0700);
}

Status DiskQuota::remove_directory(const std::string& path, std::uint32_t) const {
  return posix::remove_tree(path);
}

std::unique_ptr<DiskQuota> find_disk_quota(const std::string& state) {
  const auto none = [](const char* why) { return std::make_unique<NoQuota>(why); };
  struct statfs info {};
  if (::statfs(state.c_str(), &info) < 0) return none("the filesystem of the state does not answer");
  const auto kind = static_cast<long>(info.f_type);
  const bool projects = kind == EXT4_SUPER_MAGIC || kind == kXfsMagic;
  auto found = projects ? project_quota(state) : kind == BTRFS_SUPER_MAGIC ? qgroup_quota(state) : nullptr;
  if (found) return found;
  if (projects) {
    return none("ext4 and XFS have it with the mount option prjquota, ext4 after 'tune2fs -O project,quota'");
  }
  if (kind == BTRFS_SUPER_MAGIC) return none("'btrfs quota enable' has it");
  return none("this filesystem has none that umlfarm knows; ext4, XFS and Btrfs have");
}

}  // namespace umlfarm::quota
