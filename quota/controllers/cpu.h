// The controller "cpu": a guest's share of the processors, and the most that it gets of them.
#pragma once

#include "quota/controllers/group.h"
#include "quota/limits.h"
#include "quota/usage.h"

namespace umlfarm::quota::cpu {

Status apply(const Group& group, const Limits& limits);
// Of the group of all guests. In a group of common weight all of them together would have what one process of
// the host has, and less on a processor where their guest is mostly idle: a request to it waited for whole
// slices of others (tests/bench/neighbours_bench.cc).
Status apply_farm(const Group& group);
// Whether this host's kernel caps processor time; the group must be there, and not the hierarchy's root.
bool can_cap(const Group& group);
void read(const Group& group, Usage& usage);

inline constexpr unsigned kFarmWeight = 1000;

// Version 1 counts a share of 100 as 1024. Pure.
std::uint64_t shares_of(unsigned weight);
// Microseconds of processor time that a cap gives in each period of kPeriodUs. Pure.
std::uint64_t quota_us(unsigned percent);
inline constexpr std::uint64_t kPeriodUs = 100'000;

}  // namespace umlfarm::quota::cpu
