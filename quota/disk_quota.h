// What a guest's files may take on the host's disk, held by the quotas of the filesystem where it has them
// on: for projects on ext4 and XFS, qgroups on Btrfs. Without any, the length that its files may have is all
// that holds a guest. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "provisioner/base/byte_size.h"
#include "provisioner/base/result.h"

namespace umlfarm::quota {

class DiskQuota {
 public:
  virtual ~DiskQuota() = default;

  // For people: what holds guests, or why nothing does and what to do about it.
  virtual std::string text() const = 0;
  // A directory for one guest's files; nothing is done where it is there.
  virtual Status make_directory(const std::string& path) const;
  // Holds these files, all in that directory, to `most` altogether. A guest's number, such as its user's, is
  // that of no other. What a file holds already counts.
  virtual Status hold(const std::string& directory, const std::vector<std::string>& files,
                      std::uint32_t number, ByteSize most) const = 0;
  // Whether a file with a hole in it is the smaller one to it.
  virtual bool takes_holes() const { return true; }
  // Takes away the directory with all that is in it, and what was noted of it. A directory that is gone is
  // none of its own.
  virtual Status remove_directory(const std::string& path, std::uint32_t number) const;
};

// As the filesystem that this directory lies on has it now.
std::unique_ptr<DiskQuota> find_disk_quota(const std::string& directory);

// Each of them for a filesystem of its kind; null where its quotas are off.
std::unique_ptr<DiskQuota> project_quota(const std::string& directory);
std::unique_ptr<DiskQuota> qgroup_quota(const std::string& directory);

}  // namespace umlfarm::quota
