#include "guest/jail/mounts.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "provisioner/base/posix.h"

namespace umlfarm::guest {
namespace {

constexpr unsigned long kSealed = MS_NOSUID | MS_NODEV;

Status make_parents(const std::string& root, const std::string& inside) {
  for (std::size_t slash = inside.find('/', 1); slash != std::string::npos;
       slash = inside.find('/', slash + 1)) {
    const std::string directory = root + inside.substr(0, slash);
    if (::mkdir(directory.c_str(), 0755) < 0 && errno != EEXIST) return system_error("mkdir " + directory);
  }
  return {};
}

// A bind mount takes its restrictions only from a second, remounting call (mount(2)).
Status bind_file(const std::string& root, const JailFile& file) {
  if (file.inside.empty() || file.inside[0] != '/' || file.inside.find("/../") != std::string::npos) {
    return Error(Kind::Invalid, "jail path '" + file.inside + "': must be absolute and without '..'");
  }
  UMLFARM_TRY(make_parents(root, file.inside));
  const std::string target = root + file.inside;
  UMLFARM_ASSIGN(const UniqueFd made, posix::open(target, O_CREAT | O_EXCL | O_WRONLY, 0444));
  if (::mount(file.host.c_str(), target.c_str(), nullptr, MS_BIND, nullptr) < 0) {
    return system_error("bind " + file.host);
  }
  const unsigned long flags =
      MS_REMOUNT | MS_BIND | kSealed | (file.writable ? 0 : MS_RDONLY) | (file.executable ? 0 : MS_NOEXEC);
  if (::mount(nullptr, target.c_str(), nullptr, flags, nullptr) < 0) {
    return system_error("restrict " + file.host);
  }
  return {};
}

Status attach(int mount, const std::string& target) {
  if (::mkdir(target.c_str(), 0755) < 0) return system_error("mkdir " + target);
  if (::move_mount(mount, "", AT_FDCWD, target.c_str(), MOVE_MOUNT_F_EMPTY_PATH) < 0) {
    return system_error("mount " + target);
  }
  return {};
}

}  // namespace

Result<UniqueFd> make_tmpfs(std::uint64_t size, unsigned inodes, uid_t uid, gid_t gid, bool executable) {
  const UniqueFd context(::fsopen("tmpfs", FSOPEN_CLOEXEC));
  if (!context) return system_error("fsopen tmpfs");
  const auto set = [&](const char* key, const std::string& value) -> Status {
    if (::fsconfig(context.get(), FSCONFIG_SET_STRING, key, value.c_str(), 0) == 0) return {};
    return system_error("tmpfs option " + std::string(key) + "=" + value);
  };
  UMLFARM_TRY(set("size", std::to_string(size)));
  UMLFARM_TRY(set("nr_inodes", std::to_string(inodes)));
  UMLFARM_TRY(set("mode", "0700"));
  UMLFARM_TRY(set("uid", std::to_string(uid)));
  UMLFARM_TRY(set("gid", std::to_string(gid)));
  if (::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0)
    return system_error("make tmpfs");
  const unsigned attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (executable ? 0U : MOUNT_ATTR_NOEXEC);
  UniqueFd mount(::fsmount(context.get(), FSMOUNT_CLOEXEC, attributes));
  if (!mount) return system_error("fsmount tmpfs");
  return mount;
}

Status build_tree(const JailSpec& spec, const JailDescriptors& descriptors) {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) return system_error("make / private");
  if (::mount("jail", spec.root.c_str(), "tmpfs", kSealed | MS_NOEXEC, "size=256k,nr_inodes=256,mode=0755") <
      0) {
    return system_error("mount tmpfs on " + spec.root);
  }
  UMLFARM_TRY(bind_file(spec.root, {spec.kernel, "/linux", false, true}));
  for (const JailFile& file : spec.files) UMLFARM_TRY(bind_file(spec.root, file));
  UMLFARM_TRY(attach(descriptors.run_mount, spec.root + "/run"));
  if (::mkdir((spec.root + "/dev").c_str(), 0755) < 0) return system_error("mkdir /dev");
  return attach(descriptors.memory_mount, spec.root + "/dev/shm");
}

Status enter_tree(const JailSpec& spec) {
  if (::chdir(spec.root.c_str()) < 0) return system_error("chdir " + spec.root);
  // pivot_root(".", ".") stacks the old root over the new one, from where it is detached (pivot_root(2)).
  if (::syscall(SYS_pivot_root, ".", ".") < 0) return system_error("pivot_root " + spec.root);
  if (::umount2(".", MNT_DETACH) < 0) return system_error("detach the host's root");
  if (::chdir("/") < 0) return system_error("chdir /");
  if (::mount(nullptr, "/", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOEXEC | kSealed, nullptr) < 0) {
    return system_error("make the jail's root read-only");
  }
  return {};
}

}  // namespace umlfarm::guest
