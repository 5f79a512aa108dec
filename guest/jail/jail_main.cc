#include "guest/jail/jail_main.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "guest/jail/credentials.h"
#include "guest/jail/mounts.h"
#include "guest/jail/report.h"
#include "guest/jail/syscall_filter.h"
#include "provisioner/base/posix.h"

namespace umlfarm::guest {
namespace {

Status join_cgroups(const JailSpec& spec) {
  for (const std::string& cgroup : spec.cgroups) {
    UMLFARM_TRY(posix::write_existing(cgroup + "/cgroup.procs", "0"));
  }
  // After joining, so that its own group is the root that it sees.
  if (::unshare(CLONE_NEWCGROUP) < 0) return system_error("cgroup namespace");
  return {};
}

Status name_host(const JailSpec& spec) {
  if (::sethostname(spec.id.data(), spec.id.size()) < 0) return system_error("set host name");
  if (::setdomainname("", 0) < 0) return system_error("set domain name");
  return {};
}

// Standard descriptors and the tap go through exec; the rest closes there.
Status arrange_descriptors(const JailDescriptors& from) {
  // The tap first: its place may not be taken by the console's copies, nor theirs by it.
  const int tap = from.tap < 0 ? -1 : ::fcntl(from.tap, F_DUPFD_CLOEXEC, kTapDescriptor + 1);
  if (from.tap >= 0 && tap < 0) return system_error("keep the tap");
  for (int standard = 0; standard < 3; ++standard) {
    if (::dup2(from.console, standard) < 0) return system_error("connect the console");
  }
  return tap < 0 || ::dup2(tap, kTapDescriptor) == kTapDescriptor ? Status() : system_error("place the tap");
}

// The kernel says nothing of a disk that it may not open, and boots without it or read-only.
Status check_files(const JailSpec& spec) {
  for (const JailFile& file : spec.files) {
    auto opened = posix::open(file.inside, file.writable ? O_RDWR : O_RDONLY);
    if (!opened) return std::move(opened).error().context("as the guest's user, " + file.host);
  }
  return {};
}

Status build_jail(const JailSpec& spec, const JailDescriptors& descriptors) {
  UMLFARM_TRY(join_cgroups(spec));
  UMLFARM_TRY(name_host(spec));
  UMLFARM_TRY(build_tree(spec, descriptors));
  UMLFARM_TRY(enter_tree(spec));
  UMLFARM_TRY(set_limits(spec));
  UMLFARM_TRY(pin_to(spec.processors));
  UMLFARM_TRY(become_guest_user(spec));
  UMLFARM_TRY(check_files(spec));
  // Credentials changed above clear both of these.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return system_error("die with the supervisor");
  if (::prctl(PR_SET_DUMPABLE, 0) < 0) return system_error("be untraceable");
  return {};
}

Status exec_program(const JailSpec& spec, const JailDescriptors& descriptors) {
  UMLFARM_TRY(arrange_descriptors(descriptors));
  if (::setsid() < 0) return system_error("setsid");
  // Relative socket names are resolved from here by both sides of the management console.
  if (::chdir("/run") < 0) return system_error("chdir /run");
  // Without it UML takes the random gap after its heap as memory that it must describe.
  if (::personality(ADDR_NO_RANDOMIZE) < 0) return system_error("fix the address layout");
  if (::close_range(descriptors.tap < 0 ? 3U : 4U, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
    return system_error("close_range");
  std::vector<char*> argv{const_cast<char*>("linux")};
  for (const std::string& argument : spec.arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  // UML dereferences a missing HOME in early boot.
  char home[] = "HOME=/run";
  char* environment[] = {home, nullptr};
  UMLFARM_TRY(load_syscall_filter(spec.seccomp_userspace));
  ::execve("/linux", argv.data(), environment);
  return system_error("exec " + spec.kernel);
}

[[noreturn]] void fail(int reports, const Error& error) {
  send_report(reports, {JailReport::What::Failed, 0, error.message()});
  ::_exit(127);
}

// End of file on `executed` means that exec closed it.
bool wait_for_exec(UniqueFd executed) {
  char byte;
  ssize_t size;
  do {
    size = ::read(executed.get(), &byte, 1);
  } while (size < 0 && errno == EINTR);
  return size == 0;
}

[[noreturn]] void reap_until(pid_t program, int reports) {
  for (;;) {
    int status = 0;
    const pid_t gone = ::waitpid(-1, &status, 0);
    if (gone < 0 && errno == EINTR) continue;
    if (gone >= 0 && gone != program) continue;
    if (gone == program) send_report(reports, {JailReport::What::Exited, status, {}});
    ::_exit(0);  // takes the rest of the namespace along
  }
}

}  // namespace

void jail_main(const JailSpec& spec, const JailDescriptors& descriptors, int reports) {
  sigset_t none;
  sigemptyset(&none);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) fail(reports, system_error("die with the supervisor"));
  if (const Status built = build_jail(spec, descriptors); !built) fail(reports, built.error());

  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) fail(reports, system_error("pipe"));
  UniqueFd executed(ends[0]);
  UniqueFd executing(ends[1]);
  const pid_t program = ::fork();
  if (program < 0) fail(reports, system_error("fork"));
  if (program == 0) {
    const Status failed = exec_program(spec, descriptors);
    send_report(reports, {JailReport::What::Failed, 0, failed.error().message()});
    (void)!::write(executing.get(), "!", 1);
    ::_exit(127);
  }
  executing.reset();
  if (wait_for_exec(std::move(executed))) send_report(reports, {JailReport::What::Started, 0, {}});
  // From here init needs its reports and nothing else; a descriptor kept here would keep the tap alive.
  ::dup2(reports, 0);
  ::close_range(1, ~0U, 0);
  if (const Status filtered = load_syscall_filter(false); !filtered) fail(0, filtered.error());
  reap_until(program, 0);
}

}  // namespace umlfarm::guest
