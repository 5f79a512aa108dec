#include "provisioner/daemon/guest_processes.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <thread>

#include "provisioner/base/posix.h"

namespace umlfarm::daemon {

namespace {

// Not the directory's owner, which is root's for a process that may not be traced.
bool runs_as(const std::string& pid, uid_t uid) {
  const auto status = posix::read_file("/proc/" + pid + "/status");
  return status && status->find("\nUid:\t" + std::to_string(uid) + "\t") != std::string::npos &&
         status->find("\nState:\tZ") == std::string::npos;
}

// Its number may be another process's by now: what is held is looked at again before it is killed.
void kill_if_runs_as(pid_t pid, uid_t uid) {
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process || !runs_as(std::to_string(pid), uid)) return;
  (void)::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
}

}  // namespace

Result<std::vector<pid_t>> processes_of(uid_t uid) {
  UMLFARM_ASSIGN(const std::vector<std::string> names, posix::list_directory("/proc"));
  std::vector<pid_t> found;
  for (const std::string& name : names) {
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size()) continue;
    if (runs_as(name, uid)) found.push_back(pid);
  }
  return found;
}

Status kill_supervisor_of(const std::string& run_directory) {
  UMLFARM_ASSIGN(const std::vector<pid_t> roots, processes_of(0));
  const std::string words = std::string("\0--run\0", 7) + run_directory + '\0';
  for (const pid_t pid : roots) {
    const auto command = posix::read_file("/proc/" + std::to_string(pid) + "/cmdline");
    if (command && command->starts_with("umlfarm-supervisor") && command->find(words) != std::string::npos) {
      kill_if_runs_as(pid, 0);
    }
  }
  return {};
}

Status kill_processes_of(uid_t uid) {
  if (uid == 0) return Error(Kind::Invalid, "will not kill the processes of uid 0");
  for (int round = 0; round < 200; ++round) {
    UMLFARM_ASSIGN(const std::vector<pid_t> pids, processes_of(uid));
    if (pids.empty()) return {};
    for (const pid_t pid : pids) kill_if_runs_as(pid, uid);
    std::this_thread::sleep_for(std::chrono::milliseconds(round < 20 ? 2 : 20));
  }
  return Error(Kind::Timeout, "host processes of uid " + std::to_string(uid) + " do not die");
}

}  // namespace umlfarm::daemon
