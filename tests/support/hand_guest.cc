#include "tests/support/hand_guest.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "guest/disk/cow.h"
#include "provisioner/base/posix.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::testing {
namespace {

constexpr int kPatienceMs = 120'000;

[[noreturn]] void become_kernel(const HandStart& start, const std::vector<std::string>& arguments,
                                int console) {
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(null, 0);
  ::dup2(console, 1);
  ::dup2(console, 2);
  if (start.pinned) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    ::sched_setaffinity(0, sizeof set, &set);
  }
  if (start.fixed_addresses) ::personality(ADDR_NO_RANDOMIZE);
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::setenv("HOME", "/tmp", 1);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

}  // namespace

std::vector<std::string> shell_as_init(const std::string& words) {
  return {"init=/bin/sh", "--", "-c", "\"" + words + "\""};
}

HandGuest::HandGuest(const HandStart& start, const std::string& directory) {
  const std::string cow = directory + "/disk.cow";
  EXPECT_THAT(guest::create_cow(cow, start.base, 0600, 0, 0), is_ok());
  std::vector<std::string> arguments{start.kernel,
                                     start.memory,
                                     "root=/dev/ubda",
                                     "rw",
                                     "ubd0=" + cow + "," + start.base,
                                     "con0=fd:0,fd:1",
                                     "con=null",
                                     "console=tty0",
                                     "uml_dir=" + directory,
                                     "umid=g"};
  arguments.insert(arguments.end(), start.more.begin(), start.more.end());
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) < 0) std::abort();
  console_ = UniqueFd(ends[0]);
  UniqueFd writing(ends[1]);
  begun_ = std::chrono::steady_clock::now();
  int pidfd = -1;
  const long child =
      ::syscall(SYS_clone, CLONE_NEWPID | CLONE_PIDFD | SIGCHLD, nullptr, &pidfd, nullptr, 0UL);
  if (child < 0) std::abort();
  if (child == 0) {
    if (start.as_init) become_kernel(start, arguments, writing.get());
    const pid_t kernel = ::fork();
    if (kernel == 0) become_kernel(start, arguments, writing.get());
    writing.reset();
    int status = 0;
    while (::waitpid(-1, &status, 0) != kernel) {
    }
    ::_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
  }
  init_ = static_cast<pid_t>(child);
  process_ = UniqueFd(pidfd);
}

HandGuest::~HandGuest() {
  // Moved from: another has it.
  if (!process_ || init_ < 0) return;
  ::kill(init_, SIGKILL);
  ::waitpid(init_, nullptr, 0);
}

int HandGuest::wait_for_end() {
  // What comes after the end of its output.
  (void)wait_for(std::string("\0", 1));
  pollfd watched{process_.get(), POLLIN, 0};
  constexpr int kAfterItsLastWordMs = 20'000;
  if (::poll(&watched, 1, kAfterItsLastWordMs) <= 0) return -1;
  int status = 0;
  if (::waitpid(std::exchange(init_, -1), &status, 0) < 0 || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

bool HandGuest::signal(int number) const {
  const std::string init = std::to_string(init_);
  const auto children = posix::read_file("/proc/" + init + "/task/" + init + "/children");
  return children && !children->empty() && ::kill(std::stoi(*children), number) == 0;
}

double HandGuest::wait_for(const std::string& mark) {
  std::array<char, 4096> buffer;
  while (output_.find(mark) == std::string::npos) {
    pollfd watched{console_.get(), POLLIN, 0};
    if (::poll(&watched, 1, kPatienceMs) <= 0) return -1;
    const ssize_t size = ::read(console_.get(), buffer.data(), buffer.size());
    if (size <= 0) return -1;
    output_.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun_).count();
}

}  // namespace umlfarm::testing
