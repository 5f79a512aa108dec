// Quotas for projects, as ext4 and XFS have them: quotactl_fd(2) and the flags of a file.
#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "provisioner/base/posix.h"
#include "quota/disk_quota.h"

namespace umlfarm::quota {
namespace {

// linux/quota.h has no name for a project's quota but to the kernel.
constexpr unsigned kProject = 2;
// A disk and a swap disk, and another of each while one takes the other's place.
constexpr std::uint64_t kFiles = 8;

int command(unsigned what) { return static_cast<int>(what << SUBCMDSHIFT | (kProject & SUBCMDMASK)); }

Status quotactl(const std::string& path, unsigned what, std::uint32_t number, void* value) {
  UMLFARM_ASSIGN(const UniqueFd fd, posix::open(path, O_RDONLY | O_DIRECTORY));
  if (::syscall(SYS_quotactl_fd, fd.get(), command(what), number, value) == 0) return {};
  return system_error("project quota of " + path);
}

bool is_enforced(const std::string& state) {
  fs_quota_statv found{};
  found.qs_version = FS_QSTATV_VERSION1;
  return quotactl(state, Q_XGETQSTATV, 0, &found) && (found.qs_flags & FS_QUOTA_PDQ_ENFD) != 0;
}

// To the filesystem a file's project is its own until it is said otherwise.
Status put_into(const std::string& file, std::uint32_t number) {
  UMLFARM_ASSIGN(const UniqueFd fd, posix::open(file, O_RDONLY | O_NOFOLLOW));
  fsxattr attributes{};
  if (::ioctl(fd.get(), FS_IOC_FSGETXATTR, &attributes) < 0) return system_error("project of " + file);
  if (attributes.fsx_projid == number) return {};
  attributes.fsx_projid = number;
  if (::ioctl(fd.get(), FS_IOC_FSSETXATTR, &attributes) == 0) return {};
  return system_error("put " + file + " into project " + std::to_string(number));
}

class Projects final : public DiskQuota {
 public:
  explicit Projects(std::string state) : state_(std::move(state)) {}

  std::string text() const override { return "project quotas of the filesystem"; }

  Status hold(const std::string&, const std::vector<std::string>& files, std::uint32_t number,
              ByteSize most) const override {
    UMLFARM_TRY(limit(number, most, kFiles));
    for (const std::string& file : files) UMLFARM_TRY(put_into(file, number));
    return {};
  }

  Status remove_directory(const std::string& path, std::uint32_t number) const override {
    UMLFARM_TRY(posix::remove_tree(path));
    return limit(number, {}, 0);
  }

 private:
  Status limit(std::uint32_t number, ByteSize most, std::uint64_t files) const {
    if_dqblk limits{};
    limits.dqb_bhardlimit = (most.bytes() + QIF_DQBLKSIZE - 1) / QIF_DQBLKSIZE;
    limits.dqb_ihardlimit = files;
    limits.dqb_valid = QIF_LIMITS;
    return quotactl(state_, Q_SETQUOTA, number, &limits);
  }

  std::string state_;
};

}  // namespace

std::unique_ptr<DiskQuota> project_quota(const std::string& state) {
  if (!is_enforced(state)) return nullptr;
  return std::make_unique<Projects>(state);
}

}  // namespace umlfarm::quota
