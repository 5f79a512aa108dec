#include "quota/controllers/pids.h"

#include "provisioner/base/posix.h"
#include "quota/cost.h"

namespace umlfarm::quota::pids {

Status apply(const Group& group, const Limits& limits) {
  return posix::write_existing(group.directory + "/pids.max", std::to_string(group_processes(limits)));
}

void read(const Group& group, Usage& usage) {
  usage.processes = read_count(group.directory + "/pids.current");
  usage.processes_peak = read_count(group.directory + "/pids.peak");
}

}  // namespace umlfarm::quota::pids
