#include "provisioner/daemon/exit_policy.h"

#include <algorithm>

namespace umlfarm::daemon {
namespace {

// A guest that stayed up this long is not in a loop of deaths.
constexpr std::int64_t kLongEnough = 60'000;
// One that reboots sooner is started again later each time, though never given up: nobody's host is to be
// kept busy with boots.
constexpr std::int64_t kShortLife = 10'000;

bool died(const std::string& cause) {
  return std::find(kDeaths.begin(), kDeaths.end(), cause) != kDeaths.end();
}

// It has been given less than it believes to have, and would only do it again.
bool by_its_plan(const std::string& cause, const quota::Limits& limits) {
  return cause == kOutOfMemory && quota::backed_memory(limits) < limits.memory;
}

}  // namespace

ExitNotice with_cause(ExitNotice notice, const quota::Limits& limits, const quota::Usage& usage) {
  // A host that is short of memory itself kills as well; the group then has not been full.
  const std::uint64_t full = quota::group_memory(limits).bytes() / 100 * 99;
  const bool was_full = usage.memory_peak.bytes() == 0 || usage.memory_peak.bytes() >= full;
  if (notice.cause != "crashed" || usage.memory_kills == 0 || !was_full) return notice;
  notice.cause = kOutOfMemory;
  notice.detail = "it touched more than the " + quota::backed_memory(limits).str() +
                  " of memory that the host gives it; the host ended it";
  return notice;
}

GuestRecord after_exit(GuestRecord record, const ExitNotice& notice, unsigned most_restarts) {
  if (notice.time_ms == record.last_exit_ms) return record;
  // A start from before its last end was another life's.
  const bool start_seen = record.started_ms > record.last_exit_ms;
  const std::int64_t lived = start_seen ? notice.time_ms - record.started_ms : 0;
  record.last_exit_ms = notice.time_ms;
  record.last_exit = notice.cause + ": " + notice.detail;
  const bool wanted = should_run(record) && !record.restart_asked;
  if (wanted && died(notice.cause)) ++record.restarts_ever[notice.cause];
  record.restart_asked = false;
  if (notice.cause == "rebooted" && wanted && lived < kShortLife) {
    record.restarts = std::min(record.restarts + 1, std::max(1U, most_restarts));
    return record;
  }
  if (!died(notice.cause) || by_its_plan(notice.cause, record.limits)) {
    record.restarts = 0;
    // Its owner switched it off: it stays off until someone starts it.
    if ((notice.cause == "powered_off" || notice.cause == kOutOfMemory) && wanted)
      record.desired = Desired::Stopped;
    return record;
  }
  if (!wanted) return record;
  if (lived > kLongEnough) record.restarts = 0;
  ++record.restarts;
  if (record.restarts > most_restarts) record.failure = record.last_exit;
  return record;
}

bool worth_retrying(Action action, Kind kind) {
  const bool lasting = kind == Kind::Invalid || kind == Kind::NotFound || kind == Kind::Conflict;
  switch (action) {
    case Action::MakeDisk:
    case Action::MakeSwap:
    case Action::MakeSeed:
    case Action::Launch:
      return !lasting;
    default:
      return true;
  }
}

}  // namespace umlfarm::daemon
