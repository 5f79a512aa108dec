#include "guest/supervisor/control.h"

#include <array>

#include "guest/supervisor/numbers.h"
#include "provisioner/base/cut.h"

namespace umlfarm::guest {
namespace {

using State = SupervisorStatus::State;

constexpr std::array<std::string_view, 4> kStates{"starting", "ready", "unhealthy", "stopping"};

bool read_state(std::string_view text, State& state) {
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    if (kStates[i] != text) continue;
    state = static_cast<State>(i);
    return true;
  }
  return false;
}

bool read_field(std::string_view key, std::string_view value, SupervisorStatus& status) {
  if (key == "state") return read_state(value, status.state);
  if (key == "started_ms") return read_number(value, status.started_ms);
  if (key == "ready_ms") return read_number(value, status.ready_ms);
  if (key == "init") return read_number(value, status.init);
  if (key == "processors") return read_numbers(value, status.processors);
  if (key == "memory_allocated") return read_number(value, status.memory_allocated);
  if (key == "waits_for_room") {
    status.waits_for_room = value == "1";
    return true;
  }
  if (key == "console_dropped") return read_number(value, status.console_dropped);
  if (key == "log_dropped") return read_number(value, status.log_dropped);
  if (key == "answer_us") return read_number(value, status.answer_us);
  return true;
}

}  // namespace

Result<ControlRequest> parse_request(std::string_view packet) {
  using Verb = ControlRequest::Verb;
  const std::size_t space = packet.find(' ');
  const std::string_view verb = packet.substr(0, space);
  const std::string_view rest = space == std::string_view::npos ? "" : packet.substr(space + 1);
  if (rest.empty()) {
    if (verb == "status") return ControlRequest{Verb::Status, {}, 0};
    if (verb == "watch") return ControlRequest{Verb::Watch, {}, 0};
    if (verb == "kill") return ControlRequest{Verb::Kill, {}, 0};
    if (verb == "attach") return ControlRequest{Verb::Attach, {}, 0};
  }
  if (verb == "mconsole" && !rest.empty()) return ControlRequest{Verb::Mconsole, std::string(rest), 0};
  ControlRequest stop{Verb::Stop, {}, 0};
  if (verb == "stop" && read_number(rest, stop.patience)) return stop;
  return Error(Kind::Invalid, "supervisor: unknown request '" + std::string(packet.substr(0, 40)) + "'");
}

std::string ok_answer(std::string_view text) { return "ok\n" + std::string(text); }

std::string error_answer(const Error& error) {
  return "error " + std::string(kind_name(error.kind())) + "\n" + error.message();
}

Result<std::string> parse_answer(std::string_view packet) {
  const std::size_t newline = packet.find('\n');
  if (newline == std::string_view::npos) return Error(Kind::Internal, "supervisor: malformed answer");
  const std::string_view head = packet.substr(0, newline);
  std::string text(packet.substr(newline + 1));
  if (head == "ok") return text;
  if (head.substr(0, 6) == "error ") return Error(kind_from_name(head.substr(6)), std::move(text));
  return Error(Kind::Internal, "supervisor: malformed answer");
}

std::string_view state_name(State state) { return kStates[static_cast<std::size_t>(state)]; }

std::string to_text(const SupervisorStatus& status) {
  return "state=" + std::string(state_name(status.state)) +
         "\nstarted_ms=" + std::to_string(status.started_ms) +
         "\nready_ms=" + std::to_string(status.ready_ms) + "\ninit=" + std::to_string(status.init) +
         "\nprocessors=" + to_text(status.processors) +
         "\nmemory_allocated=" + std::to_string(status.memory_allocated) +
         "\nwaits_for_room=" + (status.waits_for_room ? "1" : "0") +
         "\nconsole_dropped=" + std::to_string(status.console_dropped) +
         "\nlog_dropped=" + std::to_string(status.log_dropped) +
         "\nanswer_us=" + std::to_string(status.answer_us) + "\n";
}

Result<SupervisorStatus> parse_status(std::string_view text) {
  SupervisorStatus status;
  while (!text.empty()) {
    const std::string_view line = cut(text, '\n');
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos ||
        !read_field(line.substr(0, equals), line.substr(equals + 1), status)) {
      return Error(Kind::Internal, "supervisor: malformed status line '" + std::string(line) + "'");
    }
  }
  return status;
}

}  // namespace umlfarm::guest
