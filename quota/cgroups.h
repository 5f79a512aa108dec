// A guest's control groups: its share of the host's memory and processes, and what it has used.
//
// Where a controller is mounted as v1 its hierarchy is used; where v2 offers it, v2. Below each mount point,
// or below the slice umlfarm.slice where systemd has made that, the farm has one group, named after its id,
// and a guest one below that.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "provisioner/base/result.h"
#include "quota/controllers/group.h"
#include "quota/limits.h"
#include "quota/usage.h"

namespace umlfarm::quota {

class Cgroups {
 public:
  // Finds what this host offers. `farm` becomes part of the groups' names.
  // Of the disk that `state` lies on, rates can be limited.
  static Cgroups discover(const std::string& farm, const std::string& state);

  // Unavailable where one of them can't be held on this host, and a guest could take what it is not given.
  Status check(const Limits& limits) const;
  // Makes the guest's groups where there are none, and sets their limits. Idempotent.
  Status apply(const std::string& guest, const Limits& limits) const;
  // By those controllers whose names begin so.
  Usage usage(const std::string& guest, std::string_view controllers = "") const;
  // Its processor time alone: less to read, for those who ask often.
  std::uint64_t cpu_ns(const std::string& guest) const;
  // Tells the group that counts the guest's processor time from one made for it later, since the host
  // started; empty where there is none.
  std::string life_of(const std::string& guest) const;
  // Threads in the guest's groups right now; none where the host has no controller.
  std::vector<pid_t> threads(const std::string& guest) const;
  // The groups to join; empty where the host offers none.
  std::vector<std::string> directories(const std::string& guest) const;
  // Idempotent. Conflict while processes are left in them.
  Status remove(const std::string& guest) const;
  // The farm's own groups; idempotent, and they must be empty of guests.
  Status remove_farm() const;

  // What this host can't limit, such as "memory", "pids", "disk rates"; for people.
  std::vector<std::string> missing() const;

 private:
  struct Hierarchy {
    std::string mount;
    Group farm;  // the farm's group in it
  };

  bool holds_disk_rates() const;
  // The controller that counts processor time; empty where there is none.
  std::string cpu_counter() const;
  void adopt(const Group& own, const std::string& guest) const;
  Group group(const Hierarchy& hierarchy, const std::string& guest) const;

  std::map<std::string, Hierarchy> controllers_;  // by controller
};

}  // namespace umlfarm::quota
