// The controller "cpu": a guest's share of the processors, and the most that it gets of them.
#pragma once

#include "quota/controllers/group.h"
#include "quota/limits.h"
#include "quota/usage.h"

namespace umlfarm::quota::cpu {

Status apply(const Group& group, const Limits& limits);
// Whether this host's kernel caps processor time; the group must be there, and not the hierarchy's root.
bool can_cap(const Group& group);
void read(const Group& group, Usage& usage);

// Version 1 counts a share of 100 as 1024. Pure.
std::uint64_t shares_of(unsigned weight);
// Microseconds of processor time that a cap gives in each period of kPeriodUs. Pure.
std::uint64_t quota_us(unsigned percent);
inline constexpr std::uint64_t kPeriodUs = 100'000;

}  // namespace umlfarm::quota::cpu
