#include "tests/provisioner/daemon/world.h"

#include "provisioner/daemon/exit_policy.h"
#include "tests/provisioner/daemon/records.h"

namespace umlfarm::daemon {
namespace {

constexpr unsigned kRestarts = 5;

}  // namespace

std::vector<Observed> all_observations() {
  std::vector<Observed> all;
  for (unsigned bits = 0; bits < 128; ++bits) {
    const auto bit = [&](unsigned which) { return (bits >> which & 1U) != 0; };
    all.push_back({bit(0), bit(1), bit(2), bit(3), bit(4), bit(5), bit(6)});
  }
  return all;
}

std::vector<GuestRecord> all_records() {
  std::vector<GuestRecord> all;
  for (const Desired desired : {Desired::Running, Desired::Stopped, Desired::Absent}) {
    for (unsigned bits = 0; bits < 16; ++bits) {
      for (const unsigned restarts : {0U, 1U, 5U, 4'000'000'000U}) {
        for (const std::int64_t last_exit : {std::int64_t{0}, kNow - kHour, kNow - 1, kNow, kNow + kHour}) {
          GuestRecord record = guest_of(1, "alice");
          record.desired = desired;
          record.failure = (bits & 1U) != 0 ? "failed" : "";
          record.restart_asked = (bits & 2U) != 0;
          record.limits.swap = ByteSize::mib(bits & 4U);
          record.suspended = (bits & 8U) != 0 ? "not paid" : "";
          record.restarts = restarts;
          record.last_exit_ms = last_exit;
          all.push_back(record);
        }
      }
    }
  }
  return all;
}

std::string describe(const GuestRecord& record, const Observed& observed) {
  std::string text = std::string(desired_name(record.desired)) + (record.failure.empty() ? "" : " failed") +
                     (record.suspended.empty() ? "" : " suspended") +
                     (record.restart_asked ? " restart" : "") + " restarts " +
                     std::to_string(record.restarts) + " exited " +
                     std::to_string(record.last_exit_ms - kNow) + " seen:";
  const std::pair<bool, const char*> seen[] = {{observed.supervised, " supervised"},
                                               {observed.exit_recorded, " exit"},
                                               {observed.vanished, " vanished"},
                                               {observed.run_directory, " run"},
                                               {observed.directory, " directory"},
                                               {observed.disk, " disk"},

                                               {observed.seed, " seed"}};
  for (const auto& [there, name] : seen) text += there ? name : "";
  return text;
}

World::World(GuestRecord record, const Observed& observed)
    : record_(std::move(record)),
      observed_(observed),
      network_(observed.run_directory),
      cgroups_(observed.run_directory),
      processes_(observed.run_directory),
      notice_{"crashed", "", kNow - 7} {}

void World::require(bool good, Action action, const char* what) {
  if (!good && broken_.empty()) broken_ = std::string(action_name(action)) + ": " + what;
}

void World::perform(Action action) {
  switch (action) {
    case Action::MakeDirectory:
    case Action::MakeDisk:
    case Action::MakeSwap:
    case Action::MakeSeed:
    case Action::MakeRun:
    case Action::MakeCgroups:
      return make(action);
    case Action::Launch:
      return launch();
    case Action::Stop:
      return end_guest(record_.desired == Desired::Absent ? "killed" : "stopped");
    case Action::RecordExit:
      require(!observed_.supervised, action, "it runs");
      record_exit();
      observed_.exit_recorded = observed_.vanished = false;
      return;
    case Action::KillRest:
    case Action::DetachNetwork:
    case Action::RemoveCgroups:
    case Action::RemoveRun:
      return clear(action);
    case Action::RemoveFiles:
      return remove_files();
    case Action::Forget:
      return forget();
  }
}

void World::perform_half(Action action) {
  switch (action) {
    case Action::MakeRun:
      observed_.run_directory = true;
      break;
    case Action::MakeCgroups:
      cgroups_ = true;
      break;
    case Action::Launch:
      network_ = true;
      break;
    case Action::RecordExit:
      record_exit();
      break;
    case Action::RemoveFiles:
      observed_.disk = false;
      break;
    default:
      break;  // it has happened or it has not
  }
}

void World::make(Action action) {
  require(record_.desired == Desired::Running, action, "nobody wants it up");
  require(!observed_.supervised, action, "it runs");
  require(!processes_ && !network_, action, "the last start's residue is there");
  const auto once = [&](bool& there) {
    require(observed_.directory, action, "there is no directory");
    require(!there, action, "it is there already");
    there = true;
  };
  if (action == Action::MakeDirectory) observed_.directory = true;
  if (action == Action::MakeDisk) once(observed_.disk);
  if (action == Action::MakeSwap) swap_ = true;
  if (action == Action::MakeSeed) once(observed_.seed);
  if (action == Action::MakeRun) {
    require(!cgroups_, action, "the last start's cgroups are there");
    observed_.run_directory = true;
  }
  if (action == Action::MakeCgroups) {
    require(observed_.run_directory, action, "nothing would tell that they are there");
    cgroups_ = true;
  }
}

void World::launch() {
  const bool swap = record_.limits.swap == ByteSize(0) || swap_;
  require(observed_.directory && observed_.disk && observed_.seed && swap, Action::Launch,
          "a file is missing");
  require(observed_.run_directory && cgroups_, Action::Launch, "its jail is not ready");
  require(!observed_.supervised && !processes_ && !network_, Action::Launch, "there is one already");
  require(record_.desired == Desired::Running && record_.failure.empty(), Action::Launch, "not wanted");
  observed_.supervised = true;
  network_ = true;
  processes_ = true;
  record_.started_ms = now_ms_;
  swap_ = false;
}

void World::end_guest(const std::string& cause) {
  require(observed_.supervised, Action::Stop, "there is no supervisor");
  observed_.supervised = false;
  observed_.exit_recorded = true;
  notice_ = {cause, "", ++now_ms_};
}

void World::lose_supervisor() {
  require(observed_.supervised, Action::Stop, "there is no supervisor");
  observed_.supervised = false;
  observed_.vanished = true;
}

// Of one that left no record nobody knows when it went: it is told as of now.
void World::record_exit() {
  require(observed_.exit_recorded || observed_.vanished, Action::RecordExit, "there is nothing to record");
  if (!observed_.exit_recorded) notice_ = {"crashed", "", ++now_ms_};
  record_ = after_exit(record_, notice_, kRestarts);
}

// In an order in which whatever is left still shows that something is.
void World::clear(Action action) {
  require(!observed_.supervised, action, "it runs");
  if (action == Action::KillRest) processes_ = false;
  require(!processes_, action, "processes are left");
  if (action == Action::DetachNetwork) network_ = false;
  if (action == Action::RemoveCgroups) cgroups_ = false;
  if (action == Action::RemoveRun) {
    require(!network_ && !cgroups_, action, "nothing would tell what is left");
    observed_.run_directory = observed_.vanished = false;
  }
}

void World::remove_files() {
  require(record_.desired == Desired::Absent, Action::RemoveFiles, "its owner wants them");
  require(!residue(), Action::RemoveFiles, "something may use them");
  observed_ = {};
}

void World::forget() {
  require(record_.desired == Desired::Absent, Action::Forget, "its owner wants it");
  require(!residue() && !observed_.directory && !observed_.supervised, Action::Forget, "something is left");
  row_ = false;
}

}  // namespace umlfarm::daemon
