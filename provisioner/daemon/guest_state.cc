#include "provisioner/daemon/farm.h"

namespace umlfarm::daemon {
namespace {

GuestState supervised_state(const Guest& guest, std::int64_t now_ms, unsigned ready_seconds) {
  using State = guest::SupervisorStatus::State;
  const guest::SupervisorStatus& status = guest.live.status;
  switch (status.state) {
    case State::Ready:
      return {"ready", status.waits_for_room ? "waits for room on the host's disk" : ""};
    case State::Stopping:
      return {"stopping", ""};
    case State::Unhealthy:
      return {"unhealthy", "its kernel does not answer its management console"};
    case State::Starting:
      break;
  }
  if (status.started_ms != 0 && now_ms - status.started_ms > std::int64_t{ready_seconds} * 1000) {
    return {"unhealthy", "not ready after " + std::to_string(ready_seconds) + " seconds; see 'umlfarm logs " +
                             guest.record.name + "'"};
  }
  return {"starting", ""};
}

}  // namespace

bool is_on_its_way(const GuestRecord& record, const Live& live) {
  if (record.desired == Desired::Absent || record.restart_asked) return true;
  return should_run(record) ? !live.supervised || live.status.ready_ms == 0 : live.supervised;
}

GuestState state_of(const Guest& guest, std::int64_t now_ms, unsigned ready_seconds) {
  const GuestRecord& record = guest.record;
  if (record.desired == Desired::Absent) return {"deleting", guest.live.trouble};
  if (!record.failure.empty()) return {"failed", record.failure};
  if (!record.suspended.empty())
    return {guest.live.supervised ? "stopping" : "suspended", "suspended: " + record.suspended};
  if (guest.live.supervised) {
    if (record.desired == Desired::Stopped) return {"stopping", guest.live.trouble};
    return supervised_state(guest, now_ms, ready_seconds);
  }
  if (record.desired == Desired::Stopped) return {"stopped", record.last_exit};
  if (record.started_ms == 0 && record.last_exit_ms == 0) return {"creating", guest.live.trouble};
  return {"starting", guest.live.trouble.empty() ? record.last_exit : guest.live.trouble};
}

}  // namespace umlfarm::daemon
