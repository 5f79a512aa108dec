#include "hostsetup/inspection.h"

#include <algorithm>

#include "hostsetup/boot_settings.h"

namespace umlfarm::hostsetup {
namespace {

constexpr const char* kUsualDirectory = "0755 0:0";

bool any_check(const std::function<bool(const Check&)>& is) {
  return std::any_of(all_checks().begin(), all_checks().end(), is);
}

Error no_check(const std::string& where, const std::string& name) {
  return {Kind::Invalid, where + "there is no check '" + name + "'; 'umlfarm-hostsetup explain' lists them"};
}

Status check_exceptions(const Profile& profile) {
  for (const auto& [name, why] : profile.exceptions) {
    if (!any_check([&, named = name](const Check& check) { return check.name == named; }))
      return no_check("exceptions: ", name);
  }
  return {};
}

bool is_meant(const Check& check, const std::string& word) {
  return check.name == word || check.name.starts_with(word + ".");
}

bool is_recorded(const Record& record, const Need& need) {
  return find_entry(record, {Sort::Setting, need.setting}) != nullptr;
}

// Whether the machine would start without it, if our file did not say so.
bool is_for_our_file(const Machine& machine, const Record& record, const Need& need, const std::string& is) {
  const auto others = value_at_boot(machine, need.setting, false);
  if (others) return !satisfies(need, others->value);
  return need.kept || !satisfies(need, is) || is_recorded(record, need);
}

// With the directory that it lies in, where that was not there before.
void want_file(const Machine& machine, const Record& record, const Change& file,
               std::vector<Change>& changes) {
  const Place directory{Sort::Directory, file.place.name.substr(0, file.place.name.rfind('/'))};
  if (!machine.has(directory.name) || find_entry(record, directory) != nullptr) {
    changes.push_back({directory, kUsualDirectory});
  }
  changes.push_back(file);
}

void want_file(const Machine& machine, const Record& record, const char* path, const std::string& content,
               std::vector<Change>& changes) {
  if (!content.empty()) want_file(machine, record, {{Sort::File, path}, file_standing(content)}, changes);
}

// Each setting once, though more than one check may need it.
std::vector<Need> all_needs(const std::vector<Answer>& answers) {
  std::vector<Need> needs;
  for (const Answer& answer : answers) {
    if (!answer.exception.empty()) continue;
    for (const Need& need : answer.finding.needs) {
      const bool known = std::any_of(needs.begin(), needs.end(),
                                     [&](const Need& other) { return other.setting == need.setting; });
      if (!known) needs.push_back(need);
    }
  }
  return needs;
}

bool waits_for_a_person(const std::vector<Answer>& answers) {
  return std::any_of(answers.begin(), answers.end(), [](const Answer& answer) {
    // What is not installed yet is for the farm to be given once it runs.
    return answer.fails() && answer.check->severity == Severity::Must && !answer.mends() &&
           answer.finding.reason != "not-installed";
  });
}

}  // namespace

Result<std::vector<Answer>> inspect(const Context& context, const std::vector<std::string>& only) {
  UMLFARM_TRY(check_exceptions(context.profile));
  for (const std::string& word : only) {
    if (!any_check([&](const Check& check) { return is_meant(check, word); })) return no_check("", word);
  }
  std::vector<Answer> answers;
  for (const Check& check : all_checks()) {
    const bool meant = only.empty() || std::any_of(only.begin(), only.end(), [&](const std::string& word) {
                         return is_meant(check, word);
                       });
    if (!meant) continue;
    Answer answer{&check, check.inspect(context), {}};
    const auto exception = context.profile.exceptions.find(check.name);
    if (exception != context.profile.exceptions.end()) answer.exception = exception->second;
    answers.push_back(std::move(answer));
  }
  return answers;
}

std::vector<Change> wanted_changes(const Machine& machine, const Record& record,
                                   const std::vector<Answer>& answers) {
  std::vector<Need> in_file;
  std::vector<Change> settings;
  for (const Need& need : all_needs(answers)) {
    const auto is = machine.setting(need.setting);
    if (!is) continue;
    if (is_for_our_file(machine, record, need, *is)) in_file.push_back(need);
    const bool good = satisfies(need, *is);
    if (!good || is_recorded(record, need)) {
      settings.push_back({{Sort::Setting, need.setting}, good ? *is : value_to_put(need)});
    }
  }
  std::vector<Change> changes;
  want_file(machine, record, kSysctlFile, sysctl_file(in_file), changes);
  want_file(machine, record, kTmpfilesFile, tmpfiles_file(in_file), changes);
  changes.insert(changes.end(), settings.begin(), settings.end());
  const bool waits = waits_for_a_person(answers);
  for (const Answer& answer : answers) {
    if (!answer.exception.empty()) continue;
    for (const Change& change : answer.finding.changes) {
      if (change.place.sort == Sort::File) {
        want_file(machine, record, change, changes);
        continue;
      }
      const bool is_unit = change.place.sort == Sort::Enabled || change.place.sort == Sort::Running;
      const bool starts = is_unit && find_entry(record, change.place) == nullptr;
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
