// Room for the processes of all guests.
#include <algorithm>

#include "hostsetup/check.h"

namespace umlfarm::hostsetup {
namespace {

constexpr std::uint64_t kOfTheHostItself = 32'768;
constexpr std::uint64_t kMostOfTheKernel = 4'194'304;  // PID_MAX_LIMIT on 64 bits
// Jail, supervisor and the guest kernel's own threads.
constexpr std::uint64_t kAroundAGuest = 32;

std::uint64_t all_processes(const Context& context) {
  std::uint64_t each = 0;
  for (const quota::Plan& plan : context.farm.plans) {
    if (plan.name == context.farm.guests.default_plan) each = plan.limits.processes;
  }
  return std::min(kMostOfTheKernel, kOfTheHostItself + context.profile.guests * (each + kAroundAGuest));
}

Check room(const char* name, const char* title, const char* setting) {
  return setting_check(
      {name,
       Severity::Must,
       title,
       "each process in a guest is one of the host's: when numbers run out, nobody on the machine can "
       "start anything",
       "the profile (guests) and the default plan (processes); proc_sys_kernel(5)",
       {}},
      [setting](const Context& context) {
        return Need{setting, Rule::AtLeast, std::to_string(all_processes(context))};
      });
}

}  // namespace

std::vector<Check> process_checks() {
  return {
      room("processes.numbers", "there are process numbers for all guests", "/proc/sys/kernel/pid_max"),
      room("processes.threads", "the kernel may hold the threads of all guests",
           "/proc/sys/kernel/threads-max"),
      setting_check({"processes.datagrams",
                     Severity::Should,
                     "a socket holds what a guest says until it is read",
                     "a guest freezes when it has told its supervisor something and the queue is full",
                     "seen: 11 messages at a length of 10; unix(7)",
                     {}},
                    Need{"/proc/sys/net/unix/max_dgram_qlen", Rule::AtLeast, "64"}),
  };
}

}  // namespace umlfarm::hostsetup
