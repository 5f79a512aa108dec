#include "quota/ledger.h"

namespace umlfarm::quota {
namespace {

// Supervisor, page tables and kernel structures of one guest on the host.
constexpr ByteSize kGuestOverhead = ByteSize::mib(4);

Error outside(std::string_view what, ByteSize asked, ByteSize least, ByteSize most) {
  return {Kind::Invalid, std::string(what) + " of " + asked.str() + " is not possible: give " + least.str() +
                             " to " + most.str()};
}

Result<ByteSize> take(std::string_view what, ByteSize capacity, ByteSize promised, ByteSize each,
                      unsigned count) {
  const std::uint64_t left = capacity.bytes() > promised.bytes() ? capacity.bytes() - promised.bytes() : 0;
  if (each.bytes() != 0 && count > left / each.bytes()) {
    return Error(Kind::QuotaExceeded,
                 std::string(what) + ": " + std::to_string(count) + " x " + each.str() + " asked, " +
                     ByteSize(left).str() + " of " + capacity.str() +
                     " left; delete guests, choose a smaller plan or raise the overcommit ratio");
  }
  return ByteSize(promised.bytes() + each.bytes() * count);
}

}  // namespace

Promised cost_of(const Limits& limits) { return {limits.memory + kGuestOverhead, limits.disk + limits.swap}; }

Status check_limits(const Limits& limits) {
  if (limits.memory < kLeastMemory || limits.memory > kMostMemory) {
    return outside("memory", limits.memory, kLeastMemory, kMostMemory);
  }
  if (limits.memory.bytes() % 4096 != 0) {
    return Error(Kind::Invalid, "memory of " + limits.memory.str() + " is not a multiple of 4 KiB");
  }
  if (limits.disk < ByteSize::mib(1) || limits.disk > kMostDisk) {
    return outside("disk", limits.disk, ByteSize::mib(1), kMostDisk);
  }
  if (limits.swap.bytes() != 0 && (limits.swap < kLeastSwap || limits.swap > kMostDisk)) {
    return outside("swap", limits.swap, kLeastSwap, kMostDisk);
  }
  if (limits.swap.bytes() % 4096 != 0) {
    return Error(Kind::Invalid, "swap of " + limits.swap.str() + " is not a multiple of 4 KiB");
  }
  if (limits.processors < 1 || limits.processors > kMostProcessors) {
    return Error(Kind::Invalid, std::to_string(limits.processors) + " processors: give 1 to " +
                                    std::to_string(kMostProcessors));
  }
  return {};
}

Result<Promised> reserve(const Capacity& capacity, const Promised& promised, const Limits& limits,
                         unsigned count) {
  UMLFARM_TRY(check_limits(limits));
  const Promised each = cost_of(limits);
  UMLFARM_ASSIGN(const ByteSize memory, take("memory", capacity.memory, promised.memory, each.memory, count));
  UMLFARM_ASSIGN(const ByteSize disk, take("disk", capacity.disk, promised.disk, each.disk, count));
  return Promised{memory, disk};
}

}  // namespace umlfarm::quota
