#include "provisioner/daemon/reconcile.h"

#include <algorithm>

namespace umlfarm::daemon {
namespace {

using Actions = std::vector<Action>;

void clear_residue(const Observed& observed, Actions& actions) {
  if (!observed.run_directory) return;
  actions.insert(actions.end(),
                 {Action::KillRest, Action::DetachNetwork, Action::RemoveCgroups, Action::RemoveRun});
}

void start(const GuestRecord& record, const Observed& observed, Actions& actions) {
  if (!observed.directory) actions.push_back(Action::MakeDirectory);
  if (!observed.disk) actions.push_back(Action::MakeDisk);
  // Anew for each boot: what the guest made of the last one, its size included, is nothing to keep.
  if (record.limits.swap.bytes() != 0) actions.push_back(Action::MakeSwap);
  if (!observed.seed) actions.push_back(Action::MakeSeed);
  actions.insert(actions.end(), {Action::MakeRun, Action::MakeCgroups, Action::Launch});
}

}  // namespace

Plan plan(const GuestRecord& record, const Observed& observed, std::int64_t now_ms) {
  Plan plan;
  if (observed.supervised) {
    const bool unwanted =
        record.desired != Desired::Running || !record.suspended.empty() || record.restart_asked;
    // Said again to one that is stopping: the patience may have become shorter.
    if (unwanted) plan.actions.push_back(Action::Stop);
    return plan;
  }
  if (observed.exit_recorded || observed.vanished) {
    // It may change what is desired, so nothing else is planned on this reading.
    plan.actions.push_back(Action::RecordExit);
    return plan;
  }
  clear_residue(observed, plan.actions);
  if (record.desired == Desired::Absent) {
    if (observed.directory) plan.actions.push_back(Action::RemoveFiles);
    plan.actions.push_back(Action::Forget);
    return plan;
  }
  if (!should_run(record)) return plan;
  const std::int64_t due = record.restarts == 0 ? 0 : record.last_exit_ms + backoff(record.restarts);
  // A clock that was set back must not keep a guest down.
  if (due > now_ms && due - now_ms <= backoff(record.restarts)) {
    plan.again_ms = due - now_ms;
    return plan;
  }
  start(record, observed, plan.actions);
  return plan;
}

std::int64_t backoff(unsigned restarts) {
  constexpr std::int64_t kFirst = 500;
  constexpr std::int64_t kMost = 60'000;
  return restarts == 0 ? 0 : std::min(kMost, kFirst << std::min(restarts - 1, 10U));
}

std::string_view action_name(Action action) {
  switch (action) {
    case Action::MakeDirectory:
      return "make-directory";
    case Action::MakeDisk:
      return "make-disk";
    case Action::MakeSwap:
      return "make-swap";
    case Action::MakeSeed:
      return "make-seed";
    case Action::MakeRun:
      return "make-run";
    case Action::MakeCgroups:
      return "make-cgroups";
    case Action::Launch:
      return "launch";
    case Action::Stop:
      return "stop";
    case Action::RecordExit:
      return "record-exit";
    case Action::KillRest:
      return "kill-rest";
    case Action::DetachNetwork:
      return "detach-network";
    case Action::RemoveCgroups:
      return "remove-cgroups";
    case Action::RemoveRun:
      return "remove-run";
    case Action::RemoveFiles:
      return "remove-files";
    case Action::Forget:
      return "forget";
  }
  return "unknown";
}

}  // namespace umlfarm::daemon
