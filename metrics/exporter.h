// A snapshot as Prometheus reads it. Pure.
#pragma once

#include <string>
#include <vector>

#include "metrics/snapshot.h"

namespace umlfarm::metrics {

inline constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";

// In Prometheus' text format.
std::string to_text(const Snapshot& snapshot);

struct Described {
  std::string name;
  std::string type;  // "counter" or "gauge"
  std::vector<std::string> labels;
  std::string help;
};
// All that there is, in the order of to_text().
std::vector<Described> describe();

}  // namespace umlfarm::metrics
