#include "hostsetup/verbs.h"

#include <boost/json.hpp>
#include <iostream>

#include "hostsetup/inspection.h"
#include "hostsetup/plan.h"
#include "hostsetup/record.h"
#include "hostsetup/report.h"
#include "hostsetup/sole_run.h"
#include "provisioner/base/file_lock.h"
#include "provisioner/base/posix.h"

namespace umlfarm::hostsetup {
namespace {

constexpr const char* kState = "/var/lib/umlfarm";
constexpr const char* kLock = "/var/lib/umlfarm/lock";
constexpr const char* kRun = "/run/umlfarm";

// The machine, or a directory that stands for one.
Machine machine_of(const Settings& settings) {
  return settings.root.empty() ? Machine() : Machine(settings.root, run_nothing);
}

// Everything that a verb looks at, asked once.
struct Sight {
  Machine machine;
  Profile profile;
  config::Config farm;
  std::vector<Answer> answers;
};

Result<Sight> look_at(const Settings& settings) {
  Sight sight{machine_of(settings), {}, {}, {}};
  UMLFARM_ASSIGN(sight.profile,
                 load_profile(settings.profile_directory, sight.machine.at(kHostFile), settings.profile));
  UMLFARM_ASSIGN(sight.farm, config::load(sight.machine.at("/etc/umlfarm/umlfarm.toml")));
  UMLFARM_ASSIGN(sight.answers, inspect({sight.machine, sight.profile, sight.farm}, settings.only));
  return sight;
}

Result<Plan> plan_for(const Sight& sight, const Record& record) {
  return make_plan(sight.machine, record, wanted_changes(sight.machine, record, sight.answers));
}

// What a run that was killed between a unit's file and systemd's reading it has left; where it does not
// answer, it has read nothing.
void have_units_read(const Machine& machine, const Record& record) {
  if (!record.empty() && machine.has(kSystemd)) (void)machine.ask({"systemctl", "daemon-reload"});
}

void say(const boost::json::value& value) { std::cout << boost::json::serialize(value) << "\n"; }

void tell(const Step& step) { std::cout << as_diff(step) << std::flush; }

// Exit code, or nothing where all went well.
std::optional<int> tell_end(const Outcome& outcome, std::size_t steps, const char* what) {
  std::cout << outcome.done << " of " << steps << " changes " << what << "\n" << std::flush;
  for (const std::string& left : outcome.left) std::cout << "left alone: " << left << "\n";
  for (const std::string& failure : outcome.failed) std::cerr << "umlfarm-hostsetup: " << failure << "\n";
  if (outcome.failed.empty()) return {};
  return exit_code(Kind::Unavailable);
}

bool is_unit(const Step& step) {
  return step.place.sort == Sort::Enabled || step.place.sort == Sort::Running;
}

// The daemon, where it is ours to stop; in a plan of its own, as what it leaves is taken down between.
Status stop_daemon(const Machine& machine) {
  UMLFARM_ASSIGN(const Record record, load_record(machine));
  UMLFARM_ASSIGN(Plan plan, make_plan(machine, record, {}));
  std::erase_if(plan.steps, [](const Step& step) { return !is_unit(step); });
  plan.left.clear();
  plan.settled.clear();
  const Outcome outcome = carry_out(machine, record, plan, tell);
  if (outcome.failed.empty()) return {};
  return Error(Kind::Unavailable, outcome.failed.front());
}

// A daemon's network, mounts and control groups are its own to take down, once it has ended. There is
// something to take down as long as there is its directory.
Status take_down_farm(const Machine& machine) {
  if (!machine.has(kRun)) return {};
  // One that still runs was started by others.
  if (machine.has(kLock) && !FileLock::acquire(machine.at(kLock))) return {};
  UMLFARM_TRY(machine.run({"systemctl", "stop", "umlfarm-guests.service"}));
  UMLFARM_TRY(machine.run({"umlfarmd", "--tear-down"}));
  return posix::remove_tree(machine.at(kRun));
}

Status check_no_guests(const Machine& machine) {
  const auto guests = posix::list_directory(machine.at(kState) + "/guests");
  if (!guests && guests.error().kind() != Kind::NotFound) return guests.error();
  if (!guests || guests->empty()) return {};
  return Error(Kind::Conflict,
               std::to_string(guests->size()) +
                   " guests are on this host, which they need as it is: delete them first, as by "
                   "'umlfarm delete NAME'");
}

// Nobody uses it any more, and nobody begins to.
Status remove_state(const Machine& machine) {
  if (!machine.has(kState)) return {};
  auto lock = FileLock::acquire(machine.at(kLock));
  if (!lock)
    return std::move(lock).error().context("a daemon that this tool did not start uses the farm's state");
  UMLFARM_TRY(check_no_guests(machine));
  for (const std::string& name : machine.names(kState)) {
    // Of a disk of its own.
    if (name == "lost+found") continue;
    UMLFARM_TRY(posix::remove_tree(machine.at(kState) + "/" + name));
  }
  return {};
}

}  // namespace

Result<int> run_inspect(const Settings& settings) {
  UMLFARM_ASSIGN(const Sight sight, look_at(settings));
  if (settings.json) {
    say(inspection_json(sight.profile, sight.answers));
  } else {
    std::cout << inspection_text(sight.answers);
  }
  return 0;
}

Result<int> run_verify(const Settings& settings) {
  UMLFARM_ASSIGN(const Sight sight, look_at(settings));
  if (settings.json) {
    say(inspection_json(sight.profile, sight.answers));
  } else {
    const std::string failures = failures_text(sight.answers);
    std::cout << (failures.empty() ? "all " + std::to_string(sight.answers.size()) + " checks hold\n"
                                   : failures);
  }
  return verdict(sight.answers);
}

Result<int> run_plan(const Settings& settings) {
  UMLFARM_ASSIGN(const Sight sight, look_at(settings));
  UMLFARM_ASSIGN(const Record record, load_record(sight.machine));
  UMLFARM_ASSIGN(const Plan plan, plan_for(sight, record));
  if (settings.json) {
    say(plan_json(plan, sight.answers));
  } else {
    std::cout << plan_text(plan, sight.answers);
  }
  return 0;
}

Result<int> run_apply(const Settings& settings) {
  UMLFARM_ASSIGN(const Sight sight, look_at(settings));
  UMLFARM_ASSIGN(const SoleRun alone, SoleRun::begin(sight.machine));
  UMLFARM_ASSIGN(const Record record, load_record(sight.machine));
  UMLFARM_ASSIGN(const Plan plan, plan_for(sight, record));
  have_units_read(sight.machine, record);
  const Outcome outcome = carry_out(sight.machine, record, plan, tell);
  if (const auto code = tell_end(outcome, plan.steps.size(), "made")) return *code;
  return run_verify({settings.root, settings.profile_directory, settings.profile});
}

Result<int> run_undo(const Settings& settings) {
  const Machine machine = machine_of(settings);
  UMLFARM_ASSIGN(const SoleRun alone, SoleRun::begin(machine));
  UMLFARM_TRY(check_no_guests(machine));
  UMLFARM_TRY(stop_daemon(machine));
  if (settings.root.empty()) UMLFARM_TRY(take_down_farm(machine));
  if (settings.purge) UMLFARM_TRY(remove_state(machine));
  UMLFARM_ASSIGN(const Record record, load_record(machine));
  UMLFARM_ASSIGN(const Plan plan, make_plan(machine, record, {}));
  have_units_read(machine, record);
  const Outcome outcome = carry_out(machine, record, plan, tell);
  return tell_end(outcome, plan.steps.size(), "taken back").value_or(0);
}

}  // namespace umlfarm::hostsetup
