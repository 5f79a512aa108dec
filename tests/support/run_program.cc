#include "tests/support/run_program.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/support/temporary_directory.h"

namespace umlfarm::testing {
namespace {

constexpr const char* kMostSeconds = "560";

[[noreturn]] void become(const std::vector<std::string>& arguments, const Environment& environment) {
  for (const std::string& variable : environment) ::putenv(const_cast<char*>(variable.c_str()));
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  ::_exit(127);
}

void redirect(const char* path, int flags, int to) {
  const int fd = ::open(path, flags, 0600);
  if (fd < 0) ::_exit(126);
  ::dup2(fd, to);
  if (fd != to) ::close(fd);
}

}  // namespace

Ran run_program(std::vector<std::string> arguments, const Environment& environment) {
  const TemporaryDirectory directory;
  const std::string out = directory / "out";
  const std::string err = directory / "err";
  arguments.insert(arguments.begin(), {"timeout", "--kill-after=10", kMostSeconds});
  const pid_t child = ::fork();
  if (child == 0) {
    redirect("/dev/null", O_RDONLY, 0);
    redirect(out.c_str(), O_WRONLY | O_CREAT, 1);
    redirect(err.c_str(), O_WRONLY | O_CREAT, 2);
    become(arguments, environment);
  }
  const int status = wait_for_end(child);
  const auto text = [](const std::string& path) { return posix::read_file(path).value(); };
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), text(out), text(err)};
}

pid_t start_program(const std::vector<std::string>& arguments, const std::string& log,
                    const Environment& environment) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  redirect("/dev/null", O_RDONLY, 0);
  redirect(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 1);
  ::dup2(1, 2);
  become(arguments, environment);
}

int wait_for_end(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace umlfarm::testing
