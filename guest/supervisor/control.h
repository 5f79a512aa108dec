// What the daemon says to a supervisor and hears from it: packets of text on supervisor.sock. Pure.
//
//   status                 ok, and one KEY=VALUE line for each field of SupervisorStatus
//   watch                  the same now and after each change, until either side goes
//   mconsole COMMAND       ok and the reply, or error
//   stop MILLISECONDS      ok; then by StopSequence
//   kill                   ok
//   attach                 ok; then the console: output comes as packets, input goes as "d" + bytes,
//                          a new window size as "w" + ROWS COLUMNS
//
// An answer is "ok" or "error KIND", a newline, and the text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "provisioner/base/result.h"

namespace umlfarm::guest {

inline constexpr std::size_t kMostPacket = std::size_t{64} << 10U;

struct ControlRequest {
  enum class Verb { Status, Watch, Mconsole, Stop, Kill, Attach };
  Verb verb = Verb::Status;
  std::string command;        // Mconsole
  std::int64_t patience = 0;  // Stop: milliseconds
};

Result<ControlRequest> parse_request(std::string_view packet);

std::string ok_answer(std::string_view text = {});
std::string error_answer(const Error& error);
Result<std::string> parse_answer(std::string_view packet);

struct SupervisorStatus {
  enum class State { Starting, Ready, Unhealthy, Stopping };
  State state = State::Starting;
  std::int64_t started_ms = 0;         // wall clock
  std::int64_t ready_ms = 0;           // wall clock; 0: not yet
  pid_t init = 0;                      // of the jail
  std::vector<int> processors;         // the host's, that the guest runs on; empty: any
  std::uint64_t memory_allocated = 0;  // bytes of the guest's memory that the host holds
  bool waits_for_room = false;         // a disk of the guest's, for room on the host's
  std::uint64_t console_dropped = 0;   // bytes
  std::uint64_t log_dropped = 0;       // bytes
  std::int64_t answer_us = 0;          // microseconds that its kernel took for its latest answer; 0: none yet
};

std::string_view state_name(SupervisorStatus::State state);
std::string to_text(const SupervisorStatus& status);
// Unknown keys are left alone: a newer supervisor may say more.
Result<SupervisorStatus> parse_status(std::string_view text);

}  // namespace umlfarm::guest
