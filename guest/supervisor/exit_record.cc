#include "guest/supervisor/exit_record.h"

#include <sys/wait.h>

#include <algorithm>
#include <cstring>

#include "provisioner/base/printable.h"

namespace umlfarm::guest {
namespace {

// What abort() in UML's panic path leaves when the signal is turned into an exit code.
constexpr int kAborted = 128 + SIGABRT;
// What our kernels exit with after a halt, and where "noreboot" stands in for a restart; others exit with 0.
constexpr int kHalted = 2;
constexpr int kRestarted = 3;

bool says(const ExitFacts& facts, std::string_view words) {
  return facts.last_output.find(words) != std::string::npos;
}

std::string last_line(const std::string& output) {
  const std::size_t end = output.find_last_not_of("\r\n ");
  if (end == std::string::npos) return {};
  const std::size_t begin = output.find_last_of("\r\n", end);
  return output.substr(begin == std::string::npos ? 0 : begin + 1,
                       end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

ExitRecord judge_panic(const ExitFacts& facts) {
  if (!facts.panic_text.empty()) return {ExitCause::Panicked, "kernel panic: " + facts.panic_text, 0};
  return {ExitCause::Panicked, "the kernel aborted; last words: " + last_line(facts.last_output), 0};
}

ExitRecord judge_by_itself(const ExitFacts& facts) {
  if (WIFSIGNALED(facts.wait_status)) {
    const int signal = WTERMSIG(facts.wait_status);
    if (signal == SIGABRT) return judge_panic(facts);
    return {ExitCause::Crashed, std::string("the kernel process died: ") + ::strsignal(signal), 0};
  }
  const int code = WEXITSTATUS(facts.wait_status);
  if (!facts.panic_text.empty() || code == kAborted) return judge_panic(facts);
  if (code != 0 && code != kHalted && code != kRestarted) {
    return {
        ExitCause::Crashed,
        "the kernel exited with " + std::to_string(code) + "; last words: " + last_line(facts.last_output),
        0};
  }
  if (facts.stop_asked) return {ExitCause::Stopped, "stopped", 0};
  if (code == kRestarted || says(facts, "reboot: Restarting system"))
    return {ExitCause::Rebooted, "rebooted from inside", 0};
  return {ExitCause::PoweredOff, "powered off from inside", 0};
}

ExitRecord judge(const ExitFacts& facts) {
  if (facts.killed_by_us) {
    const char* const why = facts.kill_asked ? "killed on request" : "did not stop in time and was killed";
    return {ExitCause::Killed, why, 0};
  }
  if (!facts.reported) return {ExitCause::Crashed, "the jail was killed", 0};
  return judge_by_itself(facts);
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  // The words are a tenant's: only what prints is kept.
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

}  // namespace

std::string_view exit_cause_name(ExitCause cause) {
  switch (cause) {
    case ExitCause::Stopped:
      return "stopped";
    case ExitCause::Killed:
      return "killed";
    case ExitCause::PoweredOff:
      return "powered_off";
    case ExitCause::Rebooted:
      return "rebooted";
    case ExitCause::Panicked:
      return "panicked";
    case ExitCause::Crashed:
      return "crashed";
  }
  return "crashed";
}

ExitRecord judge_exit(const ExitFacts& facts, std::int64_t now_ms) {
  ExitRecord record = judge(facts);
  constexpr std::size_t kMostDetail = 400;
  record.detail.resize(std::min(record.detail.size(), kMostDetail));
  record.time_ms = now_ms;
  return record;
}

std::string to_json(const ExitRecord& record) {
  return "{\"cause\":" + quoted(exit_cause_name(record.cause)) + ",\"detail\":" + quoted(record.detail) +
         ",\"time_ms\":" + std::to_string(record.time_ms) + "}\n";
}

}  // namespace umlfarm::guest
