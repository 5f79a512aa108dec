// From what should be and what is to what must be done. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "provisioner/daemon/guest_record.h"

namespace umlfarm::daemon {

// Each is idempotent: done again after a crash in its middle, it ends in the same place.
enum class Action {
  // up
  MakeDirectory,  // the guest's own
  MakeDisk,
  MakeSwap,
  MakeSeed,
  MakeRun,  // run directory and jail directory: from here on there may be residue
  MakeCgroups,
  Launch,  // tap, anti-spoof entries, supervisor
  // down
  Stop,
  RecordExit,  // takes the exit record into the store, or that there was none
  KillRest,    // host processes of the guest's uid
  DetachNetwork,
  RemoveCgroups,
  RemoveRun,
  RemoveFiles,  // the guest's directory
  Forget,       // the row, and with it the reservation
};

std::string_view action_name(Action action);

struct Observed {
  bool supervised = false;
  bool exit_recorded = false;  // an exit record waits to be taken in
  bool vanished = false;       // a supervisor ran here, and left neither itself nor a record
  bool run_directory = false;  // a start has begun at some time: residue is possible
  bool directory = false;
  bool disk = false;
  bool seed = false;
};

struct Plan {
  std::vector<Action> actions;
  // When to look again, milliseconds from now; 0: when something happens.
  std::int64_t again_ms = 0;
};

// `now_ms` is wall clock, as last_exit_ms is.
Plan plan(const GuestRecord& record, const Observed& observed, std::int64_t now_ms);

// How long a guest that died waits before it is started again, milliseconds: longer each time.
std::int64_t backoff(unsigned restarts);

}  // namespace umlfarm::daemon
