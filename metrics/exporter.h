// A snapshot as Prometheus reads it. Pure.
#pragma once

#include <string>

#include "metrics/snapshot.h"

namespace umlfarm::metrics {

inline constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";

// In Prometheus' text format.
std::string to_text(const Snapshot& snapshot);

}  // namespace umlfarm::metrics
