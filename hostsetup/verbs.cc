#include "hostsetup/verbs.h"

#include <boost/json.hpp>
#include <iostream>

#include "hostsetup/inspection.h"
#include "hostsetup/plan.h"
#include "hostsetup/record.h"
#include "hostsetup/report.h"
#include "hostsetup/sole_run.h"
#include "provisioner/base/posix.h"

namespace umlfarm::hostsetup {
namespace {

constexpr const char* kState = "/var/lib/umlfarm";
constexpr const char* kRun = "/run/umlfarm";

// Everything that a verb looks at, asked once.
struct Sight {
  Machine machine;
  Profile profile;
  config::Config farm;
  std::vector<Answer> answers;
};

Result<Sight> look_at(const Settings& settings) {
  Sight sight{Machine(settings.root), {}, {}, {}};
  UMLFARM_ASSIGN(sight.profile,
                 load_profile(settings.profile_directory, sight.machine.at(kHostFile), settings.profile));
  UMLFARM_ASSIGN(sight.farm, config::load(sight.machine.at("/etc/umlfarm/umlfarm.toml")));
  UMLFARM_ASSIGN(sight.answers, inspect({sight.machine, sight.profile, sight.farm}));
  return sight;
}

void say(const boost::json::value& value) { std::cout << boost::json::serialize(value) << "\n"; }

void tell(const Step& step) { std::cout << as_diff(step) << std::flush; }

int end_of(const Outcome& outcome) {
  for (const std::string& failure : outcome.failed) std::cerr << "umlfarm-hostsetup: " << failure << "\n";
  return outcome.failed.empty() ? 0 : exit_code(Kind::Unavailable);
}

// The daemon's network, mounts and control groups are its own to take down, once it has ended.
Status take_down_farm(const Machine& machine) {
  UMLFARM_TRY(machine.run({"systemctl", "stop", "umlfarm-guests.service"}));
  UMLFARM_TRY(machine.run({"umlfarmd", "--tear-down"}));
  return posix::remove_tree(machine.at(kRun));
}

Status undo_units(const Machine& machine) {
  UMLFARM_ASSIGN(const Record record, load_record(machine));
  UMLFARM_ASSIGN(Plan plan, make_plan(machine, record, {}));
  std::erase_if(plan.steps, [](const Step& step) { return step.place.sort != Sort::Unit; });
  if (plan.steps.empty()) return {};
  plan.left.clear();
  plan.settled.clear();
  const Outcome outcome = carry_out(machine, record, plan, tell);
  if (!outcome.failed.empty()) return Error(Kind::Unavailable, outcome.failed.front());
  return take_down_farm(machine);
}

Status remove_state(const Machine& machine) {
  for (const std::string& name : machine.names(kState)) {
    // Of a disk of its own.
    if (name == "lost+found") continue;
    UMLFARM_TRY(posix::remove_tree(machine.at(kState) + "/" + name));
  }
  return {};
}

Status check_no_guests(const Machine& machine) {
  const std::size_t guests = machine.names(std::string(kState) + "/guests").size();
  if (guests == 0) return {};
  return Error(Kind::Conflict,
               std::to_string(guests) +
                   " guests are on this host, which they need as it is: delete them first, as by "
                   "'umlfarm delete NAME'");
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
  UMLFARM_ASSIGN(const Plan plan,
                 make_plan(sight.machine, record, wanted_changes(sight.machine, record, sight.answers)));
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
  UMLFARM_ASSIGN(const Plan plan,
                 make_plan(sight.machine, record, wanted_changes(sight.machine, record, sight.answers)));
  const Outcome outcome = carry_out(sight.machine, record, plan, tell);
  std::cout << outcome.done << " of " << plan.steps.size() << " changes made\n";
  if (!outcome.failed.empty()) return end_of(outcome);
  return run_verify({settings.root, settings.profile_directory, settings.profile, false, false});
}

Result<int> run_undo(const Settings& settings) {
  const Machine machine(settings.root);
  UMLFARM_ASSIGN(const SoleRun alone, SoleRun::begin(machine));
  UMLFARM_TRY(check_no_guests(machine));
  UMLFARM_TRY(undo_units(machine));
  if (settings.purge) UMLFARM_TRY(remove_state(machine));
  UMLFARM_ASSIGN(const Record record, load_record(machine));
  UMLFARM_ASSIGN(const Plan plan, make_plan(machine, record, {}));
  const Outcome outcome = carry_out(machine, record, plan, tell);
  std::cout << outcome.done << " of " << plan.steps.size() << " changes taken back\n";
  for (const Place& place : plan.left) {
    std::cout << "left alone, as others changed it since: " << sort_name(place.sort) << " " << place.name
              << "\n";
  }
  return end_of(outcome);
}

}  // namespace umlfarm::hostsetup
