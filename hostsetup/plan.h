// From what is wanted to what is to be done, and doing it. To undo is to want nothing.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "hostsetup/record.h"

namespace umlfarm::hostsetup {

struct Step {
  Place place;
  Standing is;
  Standing wanted;
  bool back = false;  // to what was before; else to what we want
};

struct Plan {
  std::vector<Step> steps;
  std::vector<Place> settled;  // ours once, as before again: only the record still knows of them
  std::vector<Place> left;     // ours once, changed by others since: they stay as they are
};

// What is wanted first, in its order; then what we once changed and nobody wants any more, last first.
Result<Plan> make_plan(const Machine& machine, const Record& record, const std::vector<Change>& wanted);

// The step as lines that begin with '-' and '+', below a line that names its place. Pure.
std::string as_diff(const Step& step);

struct Outcome {
  std::size_t done = 0;
  std::vector<std::string> failed;  // each with its reason
  std::vector<std::string> left;    // on the way back: what is not ours any more, each with the reason
};

// Step by step, each recorded before it is done and looked at afterwards. On the way to what is wanted the
// first failure ends it, with all before it kept and recorded; on the way back it goes on with the next.
Outcome carry_out(const Machine& machine, Record record, const Plan& plan,
                  const std::function<void(const Step&)>& tell);

}  // namespace umlfarm::hostsetup
