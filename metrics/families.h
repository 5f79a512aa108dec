// What is exported of a guest, a tenant and the host: a line for each metric. Pure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "metrics/snapshot.h"

namespace umlfarm::metrics {

struct Sample {
  std::vector<std::string> labels;  // values, in the order of the family's names
  double value = 0;
};

struct Family {
  std::string name;
  bool counter = false;
  std::vector<const char*> labels;  // their names
  std::string help;
  std::function<std::vector<Sample>(const Snapshot&)> samples;
};

// In the order in which they are exported.
const std::vector<Family>& families();

}  // namespace umlfarm::metrics
