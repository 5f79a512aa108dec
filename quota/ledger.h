// Admission: whether what is asked still fits beside what is promised. Pure arithmetic over values; the
// caller keeps the sums and commits the guest in the same transaction as it asks.
#pragma once

#include <string>

#include "provisioner/base/result.h"
#include "quota/limits.h"

namespace umlfarm::quota {

// What the host has for guests, after the reserve and the overcommit ratio.
struct Capacity {
  ByteSize memory;
  ByteSize disk;
};

// Sums over all guests that exist, whatever their state: a stopped guest keeps its promise.
struct Promised {
  ByteSize memory;
  ByteSize disk;
};

// What a guest costs the host: its memory with the overhead of a guest, its disk with its swap.
Promised cost_of(const Limits& limits);

// Invalid when a limit lies outside what a guest can be given.
Status check_limits(const Limits& limits);

// The sums after `count` guests of these limits joined. QuotaExceeded names the resource, what was asked,
// what is left and the way out. Never overflows.
Result<Promised> reserve(const Capacity& capacity, const Promised& promised, const Limits& limits,
                         unsigned count);

}  // namespace umlfarm::quota
