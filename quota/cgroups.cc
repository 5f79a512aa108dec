#include "quota/cgroups.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <sstream>

#include "provisioner/base/posix.h"
#include "quota/block_device.h"
#include "quota/controllers/cpu.h"
#include "quota/controllers/io.h"
#include "quota/controllers/memory.h"
#include "quota/controllers/pids.h"
#include "quota/cost.h"

namespace umlfarm::quota {
namespace {

struct Controller {
  const char* name;
  bool limits;  // and is missed where the host doesn't have it
  Status (*apply)(const Group& group, const Limits& limits);
  void (*read)(const Group& group, Usage& usage);
  Status (*apply_farm)(const Group& group) = nullptr;  // to the group of all guests
};

// Version 1 counts processor time in a hierarchy of its own.
void read_cpuacct(const Group& group, Usage& usage) {
  if (!group.v2) usage.cpu_ns = read_count(group.directory + "/cpuacct.usage");
}

constexpr Controller kControllers[] = {{"memory", true, memory::apply, memory::read},
                                       {"pids", true, pids::apply, pids::read},
                                       {"cpu", true, cpu::apply, cpu::read, cpu::apply_farm},
                                       {"blkio", false, io::apply, io::read},
                                       {"io", false, io::apply, io::read},
                                       {"cpuacct", false, nullptr, read_cpuacct}};

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

Status remove_group(const std::string& directory) {
  if (::rmdir(directory.c_str()) == 0 || errno == ENOENT) return {};
  if (errno == EBUSY) return Error(Kind::Conflict, "cgroup " + directory + " still has processes");
  return system_error("remove cgroup " + directory);
}

}  // namespace

Cgroups Cgroups::discover(const std::string& farm, const std::string& state) {
  Cgroups cgroups;
  const std::string disk = disk_of(state);
  for (const Mount& mount : cgroup_mounts()) {
    const std::string directory = parent_in(mount.directory, farm) + "/umlfarm-" + farm;
    const bool v2 = mount.type == "cgroup2";
    const std::set<std::string> has = v2 ? offered(mount.directory) : mount.options;
    for (const Controller& controller : kControllers) {
      if (has.contains(controller.name))
        cgroups.controllers_.emplace(controller.name, Hierarchy{mount.directory, {directory, v2, disk}});
    }
  }
  return cgroups;
}

std::vector<std::string> Cgroups::directories(const std::string& guest) const {
  std::set<std::string> unique;
  for (const auto& [controller, hierarchy] : controllers_) unique.insert(group(hierarchy, guest).directory);
  return {unique.begin(), unique.end()};
}

Group Cgroups::group(const Hierarchy& hierarchy, const std::string& guest) const {
  return {hierarchy.farm.directory + "/" + guest, hierarchy.farm.v2, hierarchy.farm.disk};
}

Status Cgroups::check(const Limits& limits) const {
  if (backed_memory(limits) < limits.memory && !controllers_.contains("memory")) {
    return Error(Kind::Unavailable,
                 "this host has no control groups for memory, so that a guest would get more than its host "
                 "memory of " +
                     limits.host_memory.str() + "; boot it with cgroup_enable=memory, or take another plan");
  }
  if (io::asked(limits) && !holds_disk_rates()) {
    return Error(Kind::Unavailable,
                 "rates of the disk can't be held on this host: it takes the control group io or blkio with "
                 "throttling, and state on one disk alone; take them out of the plan");
  }
  return {};
}

bool Cgroups::holds_disk_rates() const {
  const auto found = controllers_.find(controllers_.contains("io") ? "io" : "blkio");
  if (found == controllers_.end() || found->second.farm.disk.empty()) return false;
  const Group& farm = found->second.farm;
  return !posix::exists(farm.directory) || io::can_limit(farm);
}

// A guest that runs since before the farm used this controller.
void Cgroups::adopt(const Group& own, const std::string& guest) const {
  for (const pid_t thread : threads(guest)) {
    // One that has ended meanwhile needs no limits.
    (void)!posix::write_existing(own.directory + "/cgroup.procs", std::to_string(thread));
  }
}

Status Cgroups::apply(const std::string& guest, const Limits& limits) const {
  UMLFARM_TRY(check(limits));
  for (const auto& [controller, hierarchy] : controllers_) {
    const Group& farm = hierarchy.farm;
    UMLFARM_TRY(make_group(farm.directory));
    if (farm.v2) UMLFARM_TRY(hand_down(hierarchy.mount, farm.directory, controller));
    const Group own = group(hierarchy, guest);
    const bool is_new = !posix::exists(own.directory);
    UMLFARM_TRY(make_group(own.directory));
    if (is_new) adopt(own, guest);
    for (const Controller& each : kControllers) {
      if (controller != each.name) continue;
      if (each.apply_farm != nullptr) UMLFARM_TRY(each.apply_farm(farm));
      if (each.apply != nullptr) UMLFARM_TRY(each.apply(own, limits));
    }
  }
  return {};
}

Usage Cgroups::usage(const std::string& guest, std::string_view controllers) const {
  Usage usage;
  for (const Controller& each : kControllers) {
    const auto found = controllers_.find(each.name);
    if (found == controllers_.end() || !found->first.starts_with(controllers)) continue;
    each.read(group(found->second, guest), usage);
  }
  return usage;
}

std::string Cgroups::cpu_counter() const {
  for (const char* const name : {"cpuacct", "cpu"}) {
    if (controllers_.contains(name)) return name;
  }
  return "";
}

std::uint64_t Cgroups::cpu_ns(const std::string& guest) const {
  const std::string counter = cpu_counter();
  return counter.empty() ? 0 : usage(guest, counter).cpu_ns;
}

std::string Cgroups::life_of(const std::string& guest) const {
  const auto found = controllers_.find(cpu_counter());
  if (found == controllers_.end()) return "";
  const auto status = posix::stat(group(found->second, guest).directory);
  // As the kernel numbers all groups that it ever makes.
  return status ? std::to_string(status->st_ino) : "";
}

std::vector<pid_t> Cgroups::threads(const std::string& guest) const {
  std::vector<pid_t> threads;
  for (const auto& [controller, hierarchy] : controllers_) {
    const auto text = posix::read_file(group(hierarchy, guest).file("tasks", "cgroup.threads"));
    std::istringstream lines(text ? *text : std::string());
    for (pid_t thread = 0; lines >> thread;) threads.push_back(thread);
    // All of its groups hold the same, but one that it was made without.
    if (!threads.empty()) break;
  }
  return threads;
}

Status Cgroups::remove(const std::string& guest) const {
  for (const std::string& directory : directories(guest)) UMLFARM_TRY(remove_group(directory));
  return {};
}

Status Cgroups::remove_farm() const {
  for (const auto& [controller, hierarchy] : controllers_)
    UMLFARM_TRY(remove_group(hierarchy.farm.directory));
  return {};
}

std::vector<std::string> Cgroups::missing() const {
  std::vector<std::string> missing;
  for (const Controller& controller : kControllers) {
    if (controller.limits && !controllers_.contains(controller.name)) missing.emplace_back(controller.name);
  }
  const auto cpu = controllers_.find("cpu");
  if (cpu != controllers_.end() && posix::exists(cpu->second.farm.directory) &&
      !cpu::can_cap(cpu->second.farm)) {
    missing.emplace_back("cpu cap");
  }
  if (!holds_disk_rates()) missing.emplace_back("disk rates");
  return missing;
}

}  // namespace umlfarm::quota
