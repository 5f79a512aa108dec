#include "quota/cost.h"

namespace umlfarm::quota {
namespace {

constexpr ByteSize kKernelProcess = ByteSize::mib(16);
// A stub that sleeps takes 104 KiB (tests/bench/overhead_bench.cc); one that has mapped a lot has more page
// tables.
constexpr ByteSize kProcess = ByteSize::kib(192);
// The supervisor is outside of the group, and small: 120 KiB of its own.
constexpr ByteSize kSupervisor = ByteSize::kib(512);
constexpr unsigned kOwnProcesses = 32;

// The guest's kernel keeps 64 bytes for each page of 4 KiB that it may be given.
ByteSize page_list(const Limits& limits) {
  // Part of what the host gives it.
  if (backed_memory(limits) < limits.memory) return {};
  return ByteSize((boot_memory(limits).bytes() - limits.memory.bytes()) / 64);
}

Amounts sold(const Limits& limits) {
  Amounts amounts;
  amounts[Resource::Guests] = 1;
  amounts[Resource::Memory] = backed_memory(limits).bytes();
  amounts[Resource::Disk] = (limits.disk + limits.swap).bytes();
  amounts[Resource::Processors] = limits.processors;
  return amounts;
}

}  // namespace

ByteSize memory_file_size(const Limits& limits) { return boot_memory(limits) + kMemoryFileSlack; }

ByteSize group_memory(const Limits& limits) {
  return backed_memory(limits) + kMemoryFileSlack + page_list(limits) + kKernelProcess +
         ByteSize(kProcess.bytes() * limits.processes);
}

ByteSize held_on_disk(const Limits& limits) {
  const std::uint64_t data = (limits.disk + limits.swap).bytes();
  // One bit for each 512 bytes. Extents of 4 KiB, as written at random, take 12 bytes on ext4 and 16 on XFS,
  // in blocks that are two thirds full: up to a 170th.
  return ByteSize(data + limits.disk.bytes() / 4096 + data / 128) + ByteSize::mib(1);
}

unsigned group_processes(const Limits& limits) { return limits.processes + kOwnProcesses; }

std::string tenant_account(const std::string& tenant) { return "tenant " + tenant; }

std::string user_account(const Holder& holder) { return "user " + holder.tenant + "/" + holder.user; }

Sums charges_of(const Holder& holder, const Limits& limits) {
  const Amounts each = sold(limits);
  Amounts host = each;
  host[Resource::Memory] = (group_memory(limits) + kSupervisor).bytes();
  Sums charges{{kHostAccount, host}, {tenant_account(holder.tenant), each}};
  if (!holder.user.empty()) charges[user_account(holder)] = each;
  return charges;
}

}  // namespace umlfarm::quota
