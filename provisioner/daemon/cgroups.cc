#include "provisioner/daemon/cgroups.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <sstream>

#include "provisioner/base/posix.h"

namespace umlfarm::daemon {
namespace {

constexpr const char* kControllers[] = {"memory", "pids", "cpu"};

struct Mount {
  std::string directory;
  std::string type;
  std::set<std::string> options;
};

std::set<std::string> split(const std::string& text, char separator) {
  std::set<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.insert(part);
  return parts;
}

std::vector<Mount> cgroup_mounts() {
  std::vector<Mount> mounts;
  const auto text = posix::read_file("/proc/self/mounts");
  std::istringstream lines(text ? *text : std::string());
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string device;
    std::string options;
    Mount mount;
    fields >> device >> mount.directory >> mount.type >> options;
    mount.options = split(options, ',');
    if (mount.type == "cgroup" || mount.type == "cgroup2") mounts.push_back(std::move(mount));
  }
  return mounts;
}

// The slice that systemd has for the farm, unless the farm is beside it already.
std::string parent_in(const std::string& hierarchy, const std::string& farm) {
  const std::string slice = hierarchy + "/umlfarm.slice";
  return posix::exists(slice) && !posix::exists(hierarchy + "/umlfarm-" + farm) ? slice : hierarchy;
}

std::set<std::string> offered(const std::string& v2_group) {
  auto text = posix::read_file(v2_group + "/cgroup.controllers");
  if (!text) return {};
  std::replace(text->begin(), text->end(), '\n', ' ');
  return split(*text, ' ');
}

Status make_group(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0755) == 0 || errno == EEXIST) return {};
  return system_error("make cgroup " + directory);
}

// From the mount point to the group, each level must hand a controller down to the next. The levels between
// are systemd's, which takes nothing back that is in use below.
Status hand_down(const std::string& mount, const std::string& group, const std::string& controller) {
  for (std::size_t end = mount.size(); end != std::string::npos; end = group.find('/', end + 1)) {
    UMLFARM_TRY(posix::write_existing(group.substr(0, end) + "/cgroup.subtree_control", "+" + controller));
  }
  return posix::write_existing(group + "/cgroup.subtree_control", "+" + controller);
}

// The host's swap is not a guest's to fill. Where the host doesn't count swap there is no file to say so in.
Status limit_memory(const std::string& group, bool v2, ByteSize memory) {
  const std::string bytes = std::to_string(memory.bytes());
  const std::string swap = group + (v2 ? "/memory.swap.max" : "/memory.memsw.limit_in_bytes");
  UMLFARM_TRY(posix::write_existing(group + (v2 ? "/memory.max" : "/memory.limit_in_bytes"), bytes));
  return posix::exists(swap) ? posix::write_existing(swap, v2 ? "0" : bytes) : Status();
}

Status remove_group(const std::string& directory) {
  if (::rmdir(directory.c_str()) == 0 || errno == ENOENT) return {};
  if (errno == EBUSY) return Error(Kind::Conflict, "cgroup " + directory + " still has processes");
  return system_error("remove cgroup " + directory);
}

}  // namespace

Cgroups Cgroups::discover(const std::string& farm) {
  Cgroups cgroups;
  for (const Mount& mount : cgroup_mounts()) {
    const std::string directory = parent_in(mount.directory, farm) + "/umlfarm-" + farm;
    const bool v2 = mount.type == "cgroup2";
    const std::set<std::string> has = v2 ? offered(mount.directory) : mount.options;
    for (const char* controller : kControllers) {
      if (has.contains(controller))
        cgroups.controllers_.emplace(controller, Hierarchy{mount.directory, directory, v2});
    }
  }
  return cgroups;
}

std::vector<std::string> Cgroups::directories(const std::string& guest) const {
  std::set<std::string> unique;
  for (const auto& [controller, hierarchy] : controllers_) unique.insert(hierarchy.directory + "/" + guest);
  return {unique.begin(), unique.end()};
}

Status Cgroups::create(const std::string& guest, ByteSize memory, unsigned processes) const {
  for (const auto& [controller, hierarchy] : controllers_) {
    UMLFARM_TRY(make_group(hierarchy.directory));
    if (hierarchy.v2) UMLFARM_TRY(hand_down(hierarchy.mount, hierarchy.directory, controller));
    const std::string group = hierarchy.directory + "/" + guest;
    UMLFARM_TRY(make_group(group));
    if (controller == "memory") {
      UMLFARM_TRY(limit_memory(group, hierarchy.v2, memory));
    } else if (controller == "pids") {
      UMLFARM_TRY(posix::write_existing(group + "/pids.max", std::to_string(processes)));
    }
  }
  return {};
}

Status Cgroups::remove(const std::string& guest) const {
  for (const std::string& directory : directories(guest)) UMLFARM_TRY(remove_group(directory));
  return {};
}

Status Cgroups::remove_farm() const {
  for (const auto& [controller, hierarchy] : controllers_) UMLFARM_TRY(remove_group(hierarchy.directory));
  return {};
}

std::vector<std::string> Cgroups::missing() const {
  std::vector<std::string> missing;
  for (const char* controller : kControllers) {
    if (!controllers_.contains(controller)) missing.emplace_back(controller);
  }
  return missing;
}

}  // namespace umlfarm::daemon
