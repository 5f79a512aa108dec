#include "guest/probe/verdict.h"

#include "provisioner/base/printable.h"

namespace umlfarm::guest {
namespace {

bool says(const ProbeFacts& facts, const char* words) {
  return facts.console.find(words) != std::string::npos;
}

// The last line that holds something.
std::string last_words(const std::string& console) {
  const std::size_t end = console.find_last_not_of("\r\n ");
  if (end == std::string::npos) return "nothing";
  const std::size_t begin = console.find_last_of("\r\n", end);
  return "'" + printable(console.substr(begin == std::string::npos ? 0 : begin + 1, end - begin)) + "'";
}

// Where the guest's processes do not run, for a cause that is known.
ProbeVerdict known_cause(const ProbeFacts& facts) {
  if (!facts.seccomp && facts.ptrace_scope >= 2) {
    return {"yama", "kernel.yama.ptrace_scope is " + std::to_string(facts.ptrace_scope) +
                        ", which keeps processes from tracing their children: set it to 1"};
  }
  if (facts.filtered) {
    return {"outer-seccomp",
            "this shell itself runs under a system call filter, as in a container: start the container "
            "without one "
            "(such as '--security-opt seccomp=unconfined') or with one that allows ptrace and answers with "
            "an error"};
  }
  if (facts.seccomp && says(facts, "SECCOMP userspace requested but not functional")) {
    return {"no-seccomp",
            "this machine cannot run a guest's processes by seccomp, as where its processor has no XSAVE: "
            "give guests "
            "the kernel 'strict'"};
  }
  if (facts.memfd_noexec >= 2) {
    return {"memfd", "vm.memfd_noexec is " + std::to_string(facts.memfd_noexec) +
                         ", which keeps files in memory from being executed: set it to 1"};
  }
  return {"unknown", "its last words are " + last_words(facts.console) +
                         "; if this machine's kernel is new, it may be the cause: try the one before"};
}

}  // namespace

ProbeVerdict judge(const ProbeFacts& facts) {
  if (!facts.refused.empty()) {
    ProbeVerdict verdict =
        facts.filtered ? known_cause(facts) : ProbeVerdict{"jail", "no guest can be started in a jail"};
    verdict.words += " (" + facts.refused + ")";
    return verdict;
  }
  if (says(facts, "probe: wide fails")) {
    return {"wide-registers",
            "processes in a guest lose the processor's wide registers: a fault of this machine's kernel; try "
            "another"};
  }
  const bool works = says(facts, "probe: narrow works") &&
                     (says(facts, "probe: wide works") || says(facts, "probe: wide missing"));
  if (works && facts.in_time) {
    return {"ok",
            says(facts, "probe: wide missing") ? "it runs; this processor has no wide registers" : "it runs"};
  }
  if (works) return {"stuck", "a guest runs and does not power off: " + last_words(facts.console)};
  return known_cause(facts);
}

}  // namespace umlfarm::guest
