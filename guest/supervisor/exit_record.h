// How a guest ended, as its supervisor records it for whoever asks later.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace umlfarm::guest {

enum class ExitCause {
  Stopped,     // it was asked to, and went by itself
  Killed,      // it was asked to, and had to be killed
  PoweredOff,  // the tenant switched it off
  Rebooted,    // the tenant asked for a reboot
  Panicked,    // the kernel gave up
  Crashed,     // the kernel process died from a signal or in its own way
};

std::string_view exit_cause_name(ExitCause cause);

struct ExitRecord {
  ExitCause cause = ExitCause::Crashed;
  std::string detail;        // one line for people
  std::int64_t time_ms = 0;  // wall clock
};

// What is known when the program has ended.
struct ExitFacts {
  bool stop_asked = false;
  bool kill_asked = false;  // at once, without a stop's patience
  bool killed_by_us = false;
  bool reported = false;    // init saw the program end
  int wait_status = 0;      // as wait(2) gives it; when reported
  std::string panic_text;   // from the panic notification; empty: none came
  std::string last_output;  // the end of the console: the tenant's word, believed only about itself
};

// Our kernels tell a restart by their exit code; others exit with 0 for halt, power-off and reboot alike, and
// the console's last lines tell them apart.
ExitRecord judge_exit(const ExitFacts& facts, std::int64_t now_ms);

// One JSON object: {"cause":..,"detail":..,"time_ms":..}.
std::string to_json(const ExitRecord& record);

}  // namespace umlfarm::guest
