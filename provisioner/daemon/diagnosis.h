// Whether a farm is well, and what to do first where it is not. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "quota/amounts.h"
#include "quota/host_capacity.h"
#include "quota/host_load.h"

namespace umlfarm::daemon {

struct Vitals {
  std::map<std::string, std::vector<std::string>> guests;  // names by state
  std::vector<std::string> waiting;                        // guests that wait for room on the host's disk
  quota::HostCapacity host;
  quota::HostLoad load;
  quota::Amounts promised;
  std::uint64_t addresses = 0;  // that there are
  std::uint64_t users = 0;
};

struct Problem {
  std::string what;
  std::string remedy;  // what to do first
};

// The most urgent first; none for a farm that is well.
std::vector<Problem> diagnose(const Vitals& vitals);

}  // namespace umlfarm::daemon
