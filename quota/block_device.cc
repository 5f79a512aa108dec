#include "quota/block_device.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <filesystem>
#include <sstream>

#include "provisioner/base/posix.h"

namespace umlfarm::quota {
namespace {

std::string numbers(dev_t device) {
  return std::to_string(major(device)) + ":" + std::to_string(minor(device));
}

// A disk of a Btrfs that has others beside it.
bool one_of_several(const std::string& disk) {
  std::error_code error;
  for (const auto& filesystem : std::filesystem::directory_iterator("/sys/fs/btrfs", error)) {
    unsigned count = 0;
    bool among = false;
    for (const auto& device : std::filesystem::directory_iterator(filesystem.path() / "devices", error)) {
      ++count;
      const auto number = posix::read_file((device.path() / "dev").string());
      among = among || (number && number->substr(0, number->find('\n')) == disk);
    }
    if (among) return count > 1;
  }
  return false;
}

bool lies_on(const std::string& path, const std::string& mount) {
  return mount == "/" || path == mount || path.starts_with(mount + "/");
}

}  // namespace

std::string mount_source(const std::string& mountinfo, const std::string& path) {
  std::istringstream lines(mountinfo);
  std::string best;
  std::string source;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string skipped;
    std::string mount;
    fields >> skipped >> skipped >> skipped >> skipped >> mount;
    // Of two at one place the later one is seen.
    if (!lies_on(path, mount) || mount.size() < best.size()) continue;
    best = mount;
    while (fields >> skipped && skipped != "-") {
    }
    fields >> skipped >> source;
  }
  return source;
}

std::string disk_of(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) < 0) return {};
  dev_t device = file.st_dev;
  // Btrfs and overlays have a number of their own, behind which stands a disk, or several.
  if (major(device) == 0) {
    std::error_code error;
    const auto real = std::filesystem::canonical(path, error);
    const auto mounts = posix::read_file("/proc/self/mountinfo");
    if (error || !mounts) return {};
    struct stat source {};
    if (::stat(mount_source(*mounts, real).c_str(), &source) < 0 || !S_ISBLK(source.st_mode)) return {};
    device = source.st_rdev;
    if (one_of_several(numbers(device))) return {};
  }
  const std::string entry = "/sys/dev/block/" + numbers(device);
  if (!posix::exists(entry)) return {};
  if (!posix::exists(entry + "/partition")) return numbers(device);
  auto whole = posix::read_file(entry + "/../dev");
  if (!whole) return {};
  return whole->substr(0, whole->find('\n'));
}

}  // namespace umlfarm::quota
