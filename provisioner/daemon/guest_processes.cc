#include "provisioner/daemon/guest_processes.h"

#include <sys/stat.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <thread>

#include "provisioner/base/posix.h"

namespace umlfarm::daemon {

Result<std::vector<pid_t>> processes_of(uid_t uid) {
  UMLFARM_ASSIGN(const std::vector<std::string> names, posix::list_directory("/proc"));
  std::vector<pid_t> found;
  for (const std::string& name : names) {
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size()) continue;
    // Not the directory's owner, which is root's for a process that may not be traced.
    const auto status = posix::read_file("/proc/" + name + "/status");
    if (status && status->find("\nUid:\t" + std::to_string(uid) + "\t") != std::string::npos &&
        status->find("\nState:\tZ") == std::string::npos) {
      found.push_back(pid);
    }
  }
  return found;
}

Status kill_processes_of(uid_t uid) {
  if (uid == 0) return Error(Kind::Invalid, "will not kill the processes of uid 0");
  for (int round = 0; round < 200; ++round) {
    UMLFARM_ASSIGN(const std::vector<pid_t> pids, processes_of(uid));
    if (pids.empty()) return {};
    for (const pid_t pid : pids) (void)::kill(pid, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(round < 20 ? 2 : 20));
  }
  return Error(Kind::Timeout, "host processes of uid " + std::to_string(uid) + " do not die");
}

}  // namespace umlfarm::daemon
