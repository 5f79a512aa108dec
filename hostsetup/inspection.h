// All checks, asked of one machine, and what they want of it together.
#pragma once

#include <vector>

#include "hostsetup/check.h"
#include "hostsetup/record.h"

namespace umlfarm::hostsetup {

struct Answer {
  const Check* check = nullptr;
  Finding finding;
  std::string exception;  // the administrator's reason why it need not hold; empty: it must

  bool fails() const { return !finding.reason.empty() && exception.empty(); }
  // Whether apply can mend it.
  bool mends() const { return !finding.by_hand && (!finding.needs.empty() || !finding.changes.empty()); }
};

// All checks, or those of these names and topics ("network.tun", "disk"). Invalid where one of them, or an
// exception, names none.
Result<std::vector<Answer>> inspect(const Context& context, const std::vector<std::string>& only = {});

// Files that set at each start what is set now, then settings, then all else. A setting that was right
// already is not ours. Nothing is started while something else fails that a host must have and only a person
// can mend.
std::vector<Change> wanted_changes(const Machine& machine, const Record& record,
                                   const std::vector<Answer>& answers);

// The worst that fails: 0 nothing, 1 what should hold, 2 what must.
int verdict(const std::vector<Answer>& answers);

}  // namespace umlfarm::hostsetup
