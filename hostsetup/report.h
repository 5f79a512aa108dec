// What people and programs are told. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "hostsetup/inspection.h"
#include "hostsetup/plan.h"

namespace umlfarm::hostsetup {

// "ok", "fails", "weak" (should hold and does not) or "excepted".
std::string state_name(const Answer& answer);
std::string severity_name(Severity severity);

// A table of all, then a paragraph on each that fails or is excepted.
std::string inspection_text(const std::vector<Answer>& answers);
// A line on each that fails; empty where none does.
std::string failures_text(const std::vector<Answer>& answers);
boost::json::value inspection_json(const Profile& profile, const std::vector<Answer>& answers);

// The plan as a diff, and what only a person can mend.
std::string plan_text(const Plan& plan, const std::vector<Answer>& answers);
boost::json::value plan_json(const Plan& plan, const std::vector<Answer>& answers);

// What is checked, why, and where one can read of it: of all checks, or of one. Empty where there is none
// such.
std::string explanation(const std::string& name);

}  // namespace umlfarm::hostsetup
