#include "hostsetup/inspection.h"

#include <algorithm>

#include "hostsetup/boot_settings.h"

namespace umlfarm::hostsetup {
namespace {

constexpr const char* kUsualDirectory = "0755 0:0";

Status check_exceptions(const Profile& profile) {
  const std::vector<Check>& checks = all_checks();
  for (const auto& [name, why] : profile.exceptions) {
    const bool known =
        std::any_of(checks.begin(), checks.end(), [&](const Check& check) { return check.name == name; });
    if (!known) {
      return Error(Kind::Invalid,
                   "exceptions: there is no check '" + name + "'; 'umlfarm-hostsetup explain' lists them");
    }
  }
  return {};
}

bool is_ours(const Machine& machine, const Record& record, const Need& need) {
  const auto is = machine.setting(need.setting);
  return is && (!satisfies(need, *is) || find_entry(record, {Sort::Setting, need.setting}) != nullptr);
}

void want_file(const Machine& machine, const Record& record, const char* path, const std::string& content,
               std::vector<Change>& changes) {
  if (content.empty()) return;
  const std::string text(path);
  const Place directory{Sort::Directory, text.substr(0, text.rfind('/'))};
  if (!machine.has(directory.name) || find_entry(record, directory) != nullptr) {
    changes.push_back({directory, kUsualDirectory});
  }
  changes.push_back({{Sort::File, text}, file_standing(content)});
}

Change want_setting(const Machine& machine, const Need& need) {
  const auto is = machine.setting(need.setting);
  return {{Sort::Setting, need.setting}, is && satisfies(need, *is) ? *is : need.value};
}

bool waits_for_a_person(const std::vector<Answer>& answers) {
  return std::any_of(answers.begin(), answers.end(), [](const Answer& answer) {
    return answer.fails() && answer.check->severity == Severity::Must && !answer.mends();
  });
}

}  // namespace

Result<std::vector<Answer>> inspect(const Context& context) {
  UMLFARM_TRY(check_exceptions(context.profile));
  std::vector<Answer> answers;
  for (const Check& check : all_checks()) {
    Answer answer{&check, check.inspect(context), {}};
    const auto exception = context.profile.exceptions.find(check.name);
    if (exception != context.profile.exceptions.end()) answer.exception = exception->second;
    answers.push_back(std::move(answer));
  }
  return answers;
}

std::vector<Change> wanted_changes(const Machine& machine, const Record& record,
                                   const std::vector<Answer>& answers) {
  std::vector<Need> ours;
  for (const Answer& answer : answers) {
    if (!answer.exception.empty()) continue;
    std::copy_if(answer.finding.needs.begin(), answer.finding.needs.end(), std::back_inserter(ours),
                 [&](const Need& need) { return is_ours(machine, record, need); });
  }
  std::vector<Change> changes;
  want_file(machine, record, kSysctlFile, sysctl_file(ours), changes);
  want_file(machine, record, kTmpfilesFile, tmpfiles_file(ours), changes);
  for (const Need& need : ours) changes.push_back(want_setting(machine, need));
  const bool waits = waits_for_a_person(answers);
  for (const Answer& answer : answers) {
    if (!answer.exception.empty()) continue;
    for (const Change& change : answer.finding.changes) {
      const bool starts = change.place.sort == Sort::Unit && find_entry(record, change.place) == nullptr;
      if (!waits || !starts) changes.push_back(change);
    }
  }
  return changes;
}

int verdict(const std::vector<Answer>& answers) {
  int worst = 0;
  for (const Answer& answer : answers) {
    if (answer.fails()) worst = std::max(worst, answer.check->severity == Severity::Must ? 2 : 1);
  }
  return worst;
}

}  // namespace umlfarm::hostsetup
