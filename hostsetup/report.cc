#include "hostsetup/report.h"

#include "provisioner/base/table.h"

namespace umlfarm::hostsetup {
namespace {

namespace json = boost::json;

json::value to_json(const Standing& standing) { return standing ? json::value(*standing) : json::value(); }

json::object to_json(const Answer& answer) {
  return {{"check", answer.check->name},
          {"state", state_name(answer)},
          {"severity", severity_name(answer.check->severity)},
          {"is", answer.finding.is},
          {"should", answer.finding.should},
          {"reason", answer.finding.reason},
          {"advice", answer.finding.advice},
          {"exception", answer.exception},
          {"title", answer.check->title},
          {"why", answer.check->why},
          {"source", answer.check->source}};
}

std::string paragraph(const Answer& answer) {
  const std::string head = "\n" + answer.check->name + ": ";
  if (!answer.exception.empty()) return head + "excepted: " + answer.exception + "\n";
  return head + answer.finding.reason + "\n  Why: " + answer.check->why +
         ".\n  Way out: " + answer.finding.advice + ".\n";
}

bool by_hand(const Answer& answer) { return answer.fails() && !answer.mends(); }

}  // namespace

std::string severity_name(Severity severity) { return severity == Severity::Must ? "must" : "should"; }

std::string state_name(const Answer& answer) {
  if (answer.finding.reason.empty()) return "ok";
  if (!answer.exception.empty()) return "excepted";
  return answer.check->severity == Severity::Must ? "fails" : "weak";
}

std::string inspection_text(const std::vector<Answer>& answers) {
  std::vector<Row> rows;
  std::string paragraphs;
  for (const Answer& answer : answers) {
    rows.push_back({answer.check->name, state_name(answer), answer.finding.is, answer.finding.should});
    if (!answer.finding.reason.empty()) paragraphs += paragraph(answer);
  }
  return table({"CHECK", "STATE", "IS", "SHOULD BE"}, rows) + paragraphs;
}

std::string failures_text(const std::vector<Answer>& answers) {
  std::string text;
  for (const Answer& answer : answers) {
    if (!answer.fails()) continue;
    text += answer.check->name + ": " + answer.finding.reason + " (" + severity_name(answer.check->severity) +
            " hold): found " + answer.finding.is + ", wanted " + answer.finding.should + "; " +
            answer.finding.advice + "\n";
  }
  return text;
}

json::value inspection_json(const Profile& profile, const std::vector<Answer>& answers) {
  json::array checks;
  for (const Answer& answer : answers) checks.push_back(to_json(answer));
  return json::object{{"profile", profile.name}, {"checks", std::move(checks)}};
}

std::string plan_text(const Plan& plan, const std::vector<Answer>& answers) {
  std::string text;
  for (const Step& step : plan.steps) text += as_diff(step);
  if (plan.steps.empty()) text = "nothing to change\n";
  for (const Place& place : plan.left) {
    text += "left alone, as others changed it since: " + std::string(sort_name(place.sort)) + " " +
            place.name + "\n";
  }
  for (const Answer& answer : answers) {
    if (by_hand(answer)) text += "by hand: " + answer.check->name + ": " + answer.finding.advice + "\n";
  }
  return text;
}

json::value plan_json(const Plan& plan, const std::vector<Answer>& answers) {
  json::array steps;
  for (const Step& step : plan.steps) {
    steps.push_back(json::object{{"sort", sort_name(step.place.sort)},
                                 {"name", step.place.name},
                                 {"is", to_json(step.is)},
                                 {"wanted", to_json(step.wanted)},
                                 {"back", step.back},
                                 {"diff", as_diff(step)}});
  }
  json::array left;
  for (const Place& place : plan.left)
    left.push_back(json::object{{"sort", sort_name(place.sort)}, {"name", place.name}});
  json::array hands;
  for (const Answer& answer : answers) {
    if (by_hand(answer)) hands.push_back(to_json(answer));
  }
  return json::object{{"steps", std::move(steps)}, {"left", std::move(left)}, {"by_hand", std::move(hands)}};
}

std::string explanation(const std::string& name) {
  std::string text;
  for (const Check& check : all_checks()) {
    if (!name.empty() && check.name != name) continue;
    text += (text.empty() ? "" : "\n") + check.name + " (" + severity_name(check.severity) +
            "): " + check.title + "\n  Why: " + check.why + ".\n  Source: " + check.source + ".\n";
  }
  return text;
}

}  // namespace umlfarm::hostsetup
