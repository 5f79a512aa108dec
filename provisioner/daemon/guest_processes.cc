#include "provisioner/daemon/guest_processes.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <thread>

#include "provisioner/base/posix.h"

namespace umlfarm::daemon {

namespace {

bool runs_as(const std::string& pid, const Users& users) {
  // The directory of a process that may not be traced is root's. Those of all others tell at once, where
  // there are thousands.
  struct stat directory {};
  if (::stat(("/proc/" + pid).c_str(), &directory) != 0) return false;
  if (directory.st_uid != 0 && !users.contains(directory.st_uid)) return false;
  const auto status = posix::read_file("/proc/" + pid + "/status");
  constexpr std::string_view kUid = "\nUid:\t";
  const std::size_t at = status ? status->find(kUid) : std::string::npos;
  if (at == std::string::npos || status->find("\nState:\tZ") != std::string::npos) return false;
  uid_t uid = 0;
  const char* const begin = status->data() + at + kUid.size();
  return std::from_chars(begin, status->data() + status->size(), uid).ec == std::errc() &&
         users.contains(uid);
}

// Its number may be another process's by now: what is held is looked at again before it is killed.
void kill_if_runs_as(pid_t pid, const Users& users) {
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process || !runs_as(std::to_string(pid), users)) return;
  (void)::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
}

// One that has ended needs nothing.
Status raise_file_limit(pid_t pid, std::uint64_t bytes) {
  const auto failed = [&]() -> Status {
    if (errno == ESRCH) return {};
    return system_error("let process " + std::to_string(pid) + " write further");
  };
  rlimit limit{};
  if (::prlimit(pid, RLIMIT_FSIZE, nullptr, &limit) != 0) return failed();
  if (limit.rlim_cur >= bytes) return {};
  limit.rlim_cur = bytes;
  if (::prlimit(pid, RLIMIT_FSIZE, &limit, nullptr) != 0) return failed();
  return {};
}

}  // namespace

Result<std::vector<pid_t>> processes_of(const Users& users) {
  UMLFARM_ASSIGN(const std::vector<std::string> names, posix::list_directory("/proc"));
  std::vector<pid_t> found;
  for (const std::string& name : names) {
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size()) continue;
    if (runs_as(name, users)) found.push_back(pid);
  }
  return found;
}

Status kill_supervisor_of(const std::string& run_directory) {
  UMLFARM_ASSIGN(const std::vector<pid_t> roots, processes_of({0}));
  const std::string words = std::string("\0--run\0", 7) + run_directory + '\0';
  for (const pid_t pid : roots) {
    const auto command = posix::read_file("/proc/" + std::to_string(pid) + "/cmdline");
    if (command && command->starts_with("umlfarm-supervisor") && command->find(words) != std::string::npos) {
      kill_if_runs_as(pid, {0});
    }
  }
  return {};
}

Status kill_processes_of(const Users& users) {
  if (users.contains(0)) return Error(Kind::Invalid, "will not kill the processes of uid 0");
  // As long as there are fewer: thousands take their time to die.
  std::size_t least = SIZE_MAX;
  for (int in_vain = 0; in_vain < 200; ++in_vain) {
    UMLFARM_ASSIGN(const std::vector<pid_t> pids, processes_of(users));
    if (pids.empty()) return {};
    if (pids.size() < least) in_vain = 0;
    least = std::min(least, pids.size());
    for (const pid_t pid : pids) kill_if_runs_as(pid, users);
    std::this_thread::sleep_for(std::chrono::milliseconds(in_vain < 20 ? 2 : 20));
  }
  return Error(Kind::Timeout, "host processes of uid " + std::to_string(*users.begin()) +
                                  (users.size() == 1 ? "" : " or others") + " do not die");
}

Status allow_files_of(uid_t uid, std::uint64_t bytes) {
  UMLFARM_ASSIGN(const std::vector<pid_t> pids, processes_of({uid}));
  Status allowed;
  // As that user, a soft limit may be raised without CAP_SYS_RESOURCE, which not every root has. These calls
  // are of one thread alone, where libc's are of the whole process (credentials(7), C library/kernel
  // differences).
  std::thread([&] {
    if (::syscall(SYS_setresgid, uid, uid, uid) != 0 || ::syscall(SYS_setresuid, uid, uid, uid) != 0) {
      allowed = system_error("become user " + std::to_string(uid));
      return;
    }
    for (const pid_t pid : pids) {
      if (Status raised = raise_file_limit(pid, bytes); !raised) allowed = raised;
    }
  }).join();
  return allowed;
}

}  // namespace umlfarm::daemon
