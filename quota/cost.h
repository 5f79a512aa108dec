// What a guest of some limits takes of the host, of its tenant and of its user: the one sum behind what is
// promised and what the kernel is told to allow. Pure.
#pragma once

#include <string>

#include "quota/amounts.h"
#include "quota/limits.h"

namespace umlfarm::quota {

// UML has pages of its own in the memory file, beside the guest's.
inline constexpr ByteSize kMemoryFileSlack = ByteSize::mib(2);
// Size of the tmpfs that holds the guest's memory, all that it can be set to. Too small a one kills the
// guest.
ByteSize memory_file_size(const Limits& limits);
// The most that the guest's control group may hold: its memory file, the kernel process's private memory, and
// what the host keeps for each process of the guest (page tables and kernel stack of a stub).
ByteSize group_memory(const Limits& limits);
// The most that its disk and swap may hold on the host: their data, the bitmap of what differs from the
// image, and what the host's filesystem keeps to find it all.
ByteSize held_on_disk(const Limits& limits);
// Host processes and threads: one for each of the guest's, and UML's own threads and helpers.
unsigned group_processes(const Limits& limits);

// Whom a guest belongs to.
struct Holder {
  std::string tenant;
  std::string user;  // empty: none of its own
};

inline constexpr const char* kHostAccount = "host";
std::string tenant_account(const std::string& tenant);
std::string user_account(const Holder& holder);

// What a guest takes, by account. The host pays for what a guest may cost it at most; a tenant and its
// user for what the guest is sold as.
Sums charges_of(const Holder& holder, const Limits& limits);

}  // namespace umlfarm::quota
