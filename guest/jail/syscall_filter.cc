#include "guest/jail/syscall_filter.h"

#include <linux/falloc.h>
#include <linux/if_tun.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>

namespace umlfarm::guest {
namespace {

// Whatever the arguments.
constexpr auto kAllowed = std::to_array<int>({
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(readv),
    SCMP_SYS(writev),
    SCMP_SYS(pread64),
    SCMP_SYS(pwrite64),
    SCMP_SYS(lseek),
    SCMP_SYS(close),
    SCMP_SYS(close_range),
    SCMP_SYS(dup2),
    SCMP_SYS(openat),
    SCMP_SYS(open),
    SCMP_SYS(fcntl),
    SCMP_SYS(fstat),
    SCMP_SYS(stat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(statfs),
    SCMP_SYS(fstatfs),
    SCMP_SYS(access),
    SCMP_SYS(faccessat2),
    SCMP_SYS(readlink),
    SCMP_SYS(getcwd),
    SCMP_SYS(getdents64),
    SCMP_SYS(mkdir),
    SCMP_SYS(rmdir),
    SCMP_SYS(unlink),
    SCMP_SYS(fchmod),
    SCMP_SYS(ftruncate),
    SCMP_SYS(fsync),
    SCMP_SYS(fdatasync),
    // memory
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(mprotect),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(memfd_create),
    // processes and signals
    SCMP_SYS(wait4),
    SCMP_SYS(kill),
    SCMP_SYS(tgkill),
    SCMP_SYS(getpid),
    SCMP_SYS(getppid),
    SCMP_SYS(gettid),
    SCMP_SYS(setsid),
    SCMP_SYS(pause),
    SCMP_SYS(pipe),
    SCMP_SYS(pipe2),
    SCMP_SYS(dup),
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(arch_prctl),
    SCMP_SYS(futex),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigsuspend),
    SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(signalfd4),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(uname),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(getrandom),
    // time
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(timer_create),
    SCMP_SYS(timer_settime),
    SCMP_SYS(timer_gettime),
    SCMP_SYS(timer_delete),
    // events
    SCMP_SYS(poll),
    SCMP_SYS(epoll_create),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(eventfd2),
    // sockets: which family is decided where they are made
    SCMP_SYS(bind),
    SCMP_SYS(connect),
    SCMP_SYS(sendto),
    SCMP_SYS(recvfrom),
    SCMP_SYS(sendmsg),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmmsg),
    SCMP_SYS(recvmmsg),
    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt),
    SCMP_SYS(getsockname),
});

constexpr auto kIoctls = std::to_array<unsigned long>({
    TCGETS,
    TCSETS,
    TCSETSW,
    TCSETSF,
    TIOCGWINSZ,
    FIONREAD,
    FIONBIO,
    FIOASYNC,
    TUNGETIFF,
    TUNSETOFFLOAD,
    TUNGETFEATURES,
    TUNGETVNETHDRSZ,
});

constexpr auto kPrctls =
    std::to_array<int>({PR_SET_PDEATHSIG, PR_SET_NAME, PR_GET_NAME, PR_SET_DUMPABLE, PR_GET_SECCOMP});

using Filter = std::unique_ptr<void, void (*)(scmp_filter_ctx)>;

class Builder {
 public:
  Builder() : filter_(::seccomp_init(SCMP_ACT_ERRNO(EPERM)), ::seccomp_release) {}

  bool good() const { return filter_ != nullptr && error_ == 0; }
  int error() const { return filter_ ? -error_ : ENOMEM; }

  void attribute(scmp_filter_attr attribute, std::uint32_t value) {
    note(::seccomp_attr_set(filter_.get(), attribute, value));
  }
  void allow(int call) { note(::seccomp_rule_add(filter_.get(), SCMP_ACT_ALLOW, call, 0)); }
  void allow_if(int call, scmp_arg_cmp condition) {
    note(::seccomp_rule_add_array(filter_.get(), SCMP_ACT_ALLOW, call, 1, &condition));
  }
  void refuse_if(int call, std::uint16_t with, scmp_arg_cmp condition) {
    note(::seccomp_rule_add_array(filter_.get(), SCMP_ACT_ERRNO(with), call, 1, &condition));
  }
  void refuse(int call, std::uint16_t with) {
    note(::seccomp_rule_add(filter_.get(), SCMP_ACT_ERRNO(with), call, 0));
  }
  void load() { note(::seccomp_load(filter_.get())); }

 private:
  void note(int result) {
    if (error_ == 0 && result < 0) error_ = result;
  }

  Filter filter_;
  int error_ = 0;
};

constexpr scmp_datum_t kNewNamespaces =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

void add_rules(Builder& filter, bool seccomp_userspace) {
  for (const int call : kAllowed) filter.allow(call);
  for (const unsigned long request : kIoctls) {
    filter.allow_if(SCMP_SYS(ioctl), SCMP_A1_32(SCMP_CMP_EQ, static_cast<std::uint32_t>(request)));
  }
  for (const int option : kPrctls) {
    filter.allow_if(SCMP_SYS(prctl), SCMP_A0_32(SCMP_CMP_EQ, static_cast<std::uint32_t>(option)));
  }
  // To give back, not to take: what a file has beyond its end is held by no limit of its length.
  constexpr scmp_datum_t kPunch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  filter.allow_if(SCMP_SYS(fallocate), SCMP_A1_32(SCMP_CMP_EQ, kPunch));
  filter.refuse_if(SCMP_SYS(fallocate), EOPNOTSUPP, SCMP_A1_32(SCMP_CMP_NE, kPunch));
  // To ask, not to set.
  filter.allow_if(SCMP_SYS(prlimit64), SCMP_A2_64(SCMP_CMP_EQ, 0));
  if (seccomp_userspace) {
    filter.allow_if(SCMP_SYS(seccomp), SCMP_A0_32(SCMP_CMP_EQ, SECCOMP_SET_MODE_FILTER));
    // Its processors signal each other.
    filter.allow(SCMP_SYS(rt_tgsigqueueinfo));
  } else {
    filter.allow(SCMP_SYS(ptrace));
  }
  filter.allow_if(SCMP_SYS(socket), SCMP_A0_32(SCMP_CMP_EQ, AF_UNIX));
  filter.allow_if(SCMP_SYS(socketpair), SCMP_A0_32(SCMP_CMP_EQ, AF_UNIX));
  filter.allow_if(SCMP_SYS(clone), SCMP_A0_64(SCMP_CMP_MASKED_EQ, kNewNamespaces, 0));
  // Its flags are in memory that a filter can't read: libc falls back to clone when told that there is none.
  filter.refuse(SCMP_SYS(clone3), ENOSYS);
}

}  // namespace

Status load_syscall_filter(bool seccomp_userspace) {
  Builder filter;
  if (filter.good()) {
    filter.attribute(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM));
    filter.attribute(SCMP_FLTATR_CTL_NNP, 0);
    filter.attribute(SCMP_FLTATR_CTL_OPTIMIZE, 2);
    add_rules(filter, seccomp_userspace);
    filter.load();
  }
  if (!filter.good()) return system_error("load the system call filter", filter.error());
  return {};
}

}  // namespace umlfarm::guest
