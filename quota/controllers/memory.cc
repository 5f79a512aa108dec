#include "quota/controllers/memory.h"

#include "provisioner/base/posix.h"
#include "quota/cost.h"

namespace umlfarm::quota::memory {
namespace {

// Version 1 counts memory with swap beside memory alone, and keeps the one from being less than the other.
Status apply_v1(const Group& group, const std::string& bytes, std::uint64_t most) {
  const std::string memory = group.directory + "/memory.limit_in_bytes";
  const std::string with_swap = group.directory + "/memory.memsw.limit_in_bytes";
  if (!posix::exists(with_swap)) return posix::write_existing(memory, bytes);
  const bool grows = most > read_count(with_swap);
  UMLFARM_TRY(posix::write_existing(grows ? with_swap : memory, bytes));
  return posix::write_existing(grows ? memory : with_swap, bytes);
}

}  // namespace

Status apply(const Group& group, const Limits& limits) {
  const std::uint64_t most = group_memory(limits).bytes();
  Usage usage;
  read(group, usage);
  if (usage.memory.bytes() - std::min(usage.memory, usage.memory_cache).bytes() > most) {
    return Error(Kind::Conflict, "the guest holds " + human_size(usage.memory.bytes()) +
                                     " of the host's memory, " + human_size(most) +
                                     " were asked; it must give up memory first");
  }
  const std::string bytes = std::to_string(most);
  if (!group.v2) return apply_v1(group, bytes, most);
  UMLFARM_TRY(posix::write_existing(group.directory + "/memory.max", bytes));
  // All of a guest or none of it. In version 1 there is no such choice: there it is the guest's kernel, which
  // has all pages that its processes have, and more.
  const bool whole = backed_memory(limits) < limits.memory;
  UMLFARM_TRY(posix::write_existing(group.directory + "/memory.oom.group", whole ? "1" : "0"));
  // The host's swap is not a guest's to fill. Where the host has none there is no such file.
  const std::string swap = group.directory + "/memory.swap.max";
  return posix::exists(swap) ? posix::write_existing(swap, "0") : Status();
}

void read(const Group& group, Usage& usage) {
  usage.memory = ByteSize(read_count(group.file("memory.usage_in_bytes", "memory.current")));
  usage.memory_peak = ByteSize(read_count(group.file("memory.max_usage_in_bytes", "memory.peak")));
  const auto stat = posix::read_file(group.directory + "/memory.stat");
  if (stat) {
    usage.memory_file = ByteSize(find_count(*stat, "shmem"));
    // A tmpfs's pages are not among these: without swap they stay.
    usage.memory_cache = ByteSize(find_count(*stat, "active_file") + find_count(*stat, "inactive_file"));
  }
  usage.memory_kills = read_count(group.file("memory.oom_control", "memory.events"), "oom_kill");
}

}  // namespace umlfarm::quota::memory
