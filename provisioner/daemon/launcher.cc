#include "provisioner/daemon/launcher.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "provisioner/base/posix.h"

namespace umlfarm::daemon {
namespace {

constexpr int kTap = 3;
constexpr int kLock = 4;
constexpr int kLaunched = 5;
constexpr int kFirstUnused = 6;

// The lock lives with the open file, so that the supervisor inherits it held: there is no moment at which it
// runs and nobody can see it.
Result<UniqueFd> take_lock(const std::string& run_directory) {
  UMLFARM_ASSIGN(UniqueFd lock, posix::open(run_directory + "/lock", O_RDWR | O_CREAT, 0600));
  // Who only asks has it for a moment, see supervisor_holds().
  for (int tries = 0; tries < 20; ++tries) {
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return Error(Kind::Unavailable, "a supervisor holds " + run_directory);
}

// Descriptors whose number is above those that they become: a plain dup2 order then never overwrites one.
Result<UniqueFd> lift(const UniqueFd& fd) {
  UniqueFd lifted(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 10));
  if (!lifted) return system_error("duplicate a descriptor");
  return lifted;
}

class FileActions {
 public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  void place(int from, int to) { ::posix_spawn_file_actions_adddup2(&actions_, from, to); }
  // Asio's sockets are inherited: a supervisor that held the daemon's listening one would take requests, and
  // never answer, after the daemon has gone.
  void close_from(int first) { ::posix_spawn_file_actions_addclosefrom_np(&actions_, first); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

class SpawnAttributes {
 public:
  SpawnAttributes() {
    ::posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK);
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes_); }
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

Status spawn(const std::string& program, const std::vector<std::string>& arguments,
             const FileActions& actions) {
  std::vector<char*> argv{const_cast<char*>("umlfarm-supervisor")};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  char* environment[] = {nullptr};
  pid_t pid = 0;
  const SpawnAttributes attributes;
  const int error =
      ::posix_spawn(&pid, program.c_str(), actions.get(), attributes.get(), argv.data(), environment);
  return error == 0 ? Status() : system_error("start " + program, error);
}

Status await_verdict(int launched) {
  UMLFARM_ASSIGN(const std::string line, posix::read_all(launched, 64U << 10U));
  if (line == "ok\n") return {};
  if (line.empty()) return Error(Kind::Unavailable, "the supervisor ended before the guest ran");
  return Error(Kind::Unavailable, line.substr(0, line.find('\n')));
}

}  // namespace

Status launch_supervisor(const std::string& program, guest::SupervisorSpec spec, UniqueFd tap) {
  UMLFARM_ASSIGN(UniqueFd lock, take_lock(spec.run_directory));
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) < 0) return system_error("pipe");
  const UniqueFd verdict(ends[0]);
  UniqueFd launched(ends[1]);
  spec.lock = kLock;
  spec.launched = kLaunched;
  spec.tap = tap ? kTap : -1;
  {
    FileActions actions;
    UMLFARM_ASSIGN(const UniqueFd lock_high, lift(lock));
    UMLFARM_ASSIGN(const UniqueFd launched_high, lift(launched));
    UniqueFd tap_high;
    if (tap) {
      UMLFARM_ASSIGN(tap_high, lift(tap));
      actions.place(tap_high.get(), kTap);
    }
    actions.place(lock_high.get(), kLock);
    actions.place(launched_high.get(), kLaunched);
    if (!tap) actions.place(STDERR_FILENO, kTap);
    actions.close_from(kFirstUnused);
    UMLFARM_TRY(spawn(program, guest::to_arguments(spec), actions));
  }
  launched.reset();
  lock.reset();
  tap.reset();
  return await_verdict(verdict.get());
}

bool supervisor_holds(const std::string& run_directory) {
  const auto lock = posix::open(run_directory + "/lock", O_RDWR);
  if (!lock) return false;
  // Shared, so that two who ask do not take each other for a supervisor. Closing the descriptor gives it
  // back.
  return ::flock(lock->get(), LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

}  // namespace umlfarm::daemon
