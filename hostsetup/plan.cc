#include "hostsetup/plan.h"

#include <algorithm>
#include <boost/algorithm/string/classification.hpp>
#include <boost/algorithm/string/split.hpp>

#include "provisioner/base/failpoint.h"

namespace umlfarm::hostsetup {
namespace {

using Lines = std::vector<std::string>;

Lines lines_of(const Standing& standing) {
  Lines lines;
  if (!standing) return lines;
  boost::split(lines, *standing, boost::is_any_of("\n"));
  if (lines.back().empty()) lines.pop_back();
  return lines;
}

bool is_wanted(const std::vector<Change>& wanted, const Place& place) {
  return std::any_of(wanted.begin(), wanted.end(),
                     [&](const Change& change) { return change.place == place; });
}

Status make_it_so(const Machine& machine, Record& record, const Step& step, const std::string& number) {
  if (!step.back) {
    record = noted(record, step.place, step.is, step.wanted);
    UMLFARM_TRY(save_record(machine, record));
  }
  failpoint(number, "recorded");
  UMLFARM_TRY(put(machine, step.place, step.wanted));
  failpoint(number, "done");
  UMLFARM_ASSIGN(const Standing is, look(machine, step.place));
  if (is != step.wanted) {
    return Error(Kind::Unavailable, "it stays '" + is.value_or("missing") + "'");
  }
  if (!step.back) return {};
  record = without(record, step.place);
  return save_record(machine, record);
}

Status forget(const Machine& machine, Record& record, const std::vector<Place>& places) {
  const std::size_t before = record.size();
  for (const Place& place : places) record = without(record, place);
  return record.size() == before ? Status() : save_record(machine, record);
}

std::string named(const Place& place) { return std::string(sort_name(place.sort)) + " " + place.name; }

}  // namespace

Result<Plan> make_plan(const Machine& machine, const Record& record, const std::vector<Change>& wanted) {
  Plan plan;
  for (const Change& change : wanted) {
    UMLFARM_ASSIGN(const Standing is, look(machine, change.place));
    if (is != change.wanted) plan.steps.push_back({change.place, is, change.wanted});
  }
  for (auto entry = record.rbegin(); entry != record.rend(); ++entry) {
    if (is_wanted(wanted, entry->place)) continue;
    const auto is = look(machine, entry->place);
    if (is && *is == entry->before) {
      plan.settled.push_back(entry->place);
    } else if (is && entry->is_ours(*is)) {
      plan.steps.push_back({entry->place, *is, entry->before, true});
    } else {
      // Changed, or something else by that name: not ours any more.
      plan.left.push_back(entry->place);
    }
  }
  return plan;
}

std::string as_diff(const Step& step) {
  const Lines old_lines = lines_of(step.is);
  const Lines new_lines = lines_of(step.wanted);
  // What is the same at both ends of a file is not shown.
  const auto [old_begin, new_begin] =
      std::mismatch(old_lines.begin(), old_lines.end(), new_lines.begin(), new_lines.end());
  const auto [old_end, new_end] = std::mismatch(old_lines.rbegin(), std::make_reverse_iterator(old_begin),
                                                new_lines.rbegin(), std::make_reverse_iterator(new_begin));
  std::string text = named(step.place) + "\n";
  for (auto line = old_begin; line != old_end.base(); ++line) text += "- " + *line + "\n";
  for (auto line = new_begin; line != new_end.base(); ++line) text += "+ " + *line + "\n";
  return text;
}

Outcome carry_out(const Machine& machine, Record record, const Plan& plan,
                  const std::function<void(const Step&)>& tell) {
  Outcome outcome;
  std::vector<Place> not_ours = plan.settled;
  not_ours.insert(not_ours.end(), plan.left.begin(), plan.left.end());
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    tell(step);
    const Status made = make_it_so(machine, record, step, std::to_string(i + 1));
    if (made) {
      ++outcome.done;
    } else if (step.back && made.error().kind() == Kind::Conflict) {
      outcome.left.push_back(named(step.place) + ": " + made.error().message());
      not_ours.push_back(step.place);
    } else {
      outcome.failed.push_back(named(step.place) + ": " + made.error().message());
      if (!step.back) return outcome;
    }
  }
  for (const Place& place : plan.left) outcome.left.push_back(named(place) + ": others changed it since");
  if (const Status forgotten = forget(machine, record, not_ours); !forgotten) {
    outcome.failed.push_back(forgotten.error().message());
  }
  return outcome;
}

}  // namespace umlfarm::hostsetup
