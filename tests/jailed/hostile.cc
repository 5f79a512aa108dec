// Runs in place of a guest kernel, as a tenant would who has broken out of his own: looks for anything of the
// host's. Each probe has a process of its own and one line of output: "probe NAME found" or "probe NAME
// nothing". Run outside a jail as root, every probe finds what it looks for; that tells a jail that holds
// from a probe that is blind. None of them does harm there.
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/jailed/bait.h"

namespace {

bool opens(const char* path, int flags) { return ::open(path, flags | O_CLOEXEC) >= 0; }

bool host_file() { return opens("/etc/passwd", O_RDONLY); }
bool file_above_root() { return opens("/../../../../../../etc/passwd", O_RDONLY); }
bool proc() { return opens("/proc/self/status", O_RDONLY) || opens("/proc/1/environ", O_RDONLY); }
bool sys() { return opens("/sys/kernel/mm", O_RDONLY | O_DIRECTORY); }
bool device_node() { return opens("/dev/null", O_RDWR) || opens("/dev/kmsg", O_RDONLY); }
bool tun_device() {
  return opens("/dev/net/tun", O_RDWR) || opens("/dev/mem", O_RDONLY) || opens("/dev/zero", O_RDONLY);
}
bool make_device() {
  return ::mknod("/run/probe-node", S_IFBLK | 0600, 0) == 0 && ::unlink("/run/probe-node") == 0;
}
bool root_directory_write() {
  return opens("/umlfarm-probe", O_WRONLY | O_CREAT) && ::unlink("/umlfarm-probe") == 0;
}
bool kernel_program_write() { return opens("/linux", O_WRONLY) || opens("/etc/hostname", O_WRONLY); }
bool base_image_write() { return opens("/disks/base.img", O_RDWR) || opens("/etc/hostname", O_RDWR); }
bool seed_write() { return opens("/disks/seed.tar", O_RDWR) || opens("/etc/hosts", O_RDWR); }

bool run_is_executable() {
  // Outside, /run itself may be mounted so: there it is /tmp.
  for (const char* path : {"/run/probe-program", "/tmp/probe-program"}) {
    const int from = ::open("/linux", O_RDONLY | O_CLOEXEC);
    const int source = from >= 0 ? from : ::open("/bin/true", O_RDONLY | O_CLOEXEC);
    const int to = ::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    if (to < 0) continue;
    std::array<char, 4096> piece;
    // The first pages decide: what is refused is refused before they are looked at.
    for (ssize_t size = 0; (size = ::read(source, piece.data(), piece.size())) > 0;) {
      if (::write(to, piece.data(), static_cast<std::size_t>(size)) < 0) break;
    }
    ::close(to);
    const pid_t child = ::fork();
    if (child == 0) {
      char* const none[] = {nullptr};
      ::execve(path, none, none);
      ::_exit(errno == EACCES || errno == EPERM ? 1 : 0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ::unlink(path);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
  }
  return false;
}

// Its own init and itself are there by design.
bool other_processes() {
  for (pid_t pid = 2; pid < 40000; ++pid) {
    if (pid == ::getpid() || pid == ::getppid()) continue;
    if (::kill(pid, 0) == 0 || errno == EPERM) return true;
  }
  return false;
}

pid_t parent_of_program() {
  // Probes are children of the program; its parent is the jail's init.
  static const pid_t parent = [] { return static_cast<pid_t>(std::atoi(std::getenv("PROBE_PARENT"))); }();
  return parent;
}

bool trace_init() { return ::ptrace(PTRACE_SEIZE, parent_of_program(), nullptr, nullptr) == 0; }

bool read_memory_of_init() {
  char byte;
  iovec local{&byte, 1};
  for (const std::uintptr_t address : {0x400000UL, 0x555555554000UL, 0x10000UL}) {
    iovec remote{reinterpret_cast<void*>(address), 1};
    if (::process_vm_readv(parent_of_program(), &local, 1, &remote, 1, 0) == 1 || errno == EFAULT)
      return true;
  }
  return false;
}

bool makes_socket(int family, int type, int protocol = 0) {
  return ::socket(family, type | SOCK_CLOEXEC, protocol) >= 0;
}
bool internet_socket() { return makes_socket(AF_INET, SOCK_STREAM); }
bool internet_datagrams() { return makes_socket(AF_INET, SOCK_DGRAM); }
bool internet6_socket() { return makes_socket(AF_INET6, SOCK_STREAM); }
bool netlink_socket() { return makes_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE); }
bool packet_socket() { return makes_socket(AF_PACKET, SOCK_RAW); }
bool raw_socket() { return makes_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP); }

bool connects(const char* name, std::size_t length) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name, length);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  return fd >= 0 && ::connect(fd, reinterpret_cast<sockaddr*>(&address),
                              static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length)) == 0;
}
bool host_socket() { return connects(bait::kSocket, std::strlen(bait::kSocket)); }
bool abstract_socket() {
  const std::string name = std::string(1, '\0') + bait::kAbstract;
  return connects(name.data(), name.size());
}
bool shared_memory() { return ::shmget(bait::kSharedMemory, 1, 0) >= 0; }
bool message_queue() { return ::mq_open(bait::kQueue, O_RDONLY) >= 0; }

bool mounts() { return ::mount("probe", "/run", "tmpfs", 0, nullptr) == 0; }
bool unmounts() {
  return ::umount2("/run", MNT_DETACH) == 0 || ::umount2("/disks/base.img", MNT_DETACH) == 0;
}
bool new_mount_interface() { return ::syscall(SYS_fsopen, "tmpfs", 0) >= 0; }
bool changes_root() { return ::chroot("/run") == 0; }
bool new_user_namespace() { return ::unshare(CLONE_NEWUSER) == 0; }
bool new_network_namespace() { return ::unshare(CLONE_NEWNET) == 0; }
bool namespace_by_clone() {
  const long child = ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, 0UL);
  if (child == 0) ::_exit(0);
  if (child > 0) ::waitpid(static_cast<pid_t>(child), nullptr, 0);
  return child > 0;
}

bool becomes_root() { return ::setuid(0) == 0 && ::setgid(0) == 0; }
bool has_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  if (::syscall(SYS_capget, &header, data.data()) < 0) return false;
  return (data[0].permitted | data[1].permitted) != 0;
}
bool keeps_bounding_set() { return ::prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 1; }
bool may_gain_privileges() { return ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0; }

bool bpf_map() {
  bpf_attr attributes{};
  attributes.map_type = BPF_MAP_TYPE_ARRAY;
  attributes.key_size = 4;
  attributes.value_size = 4;
  attributes.max_entries = 1;
  return ::syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes) >= 0;
}
bool file_handle() {
  struct {
    unsigned bytes = 128;
    int type = 0;
    char data[128];
  } handle;
  int mount = 0;
  return ::syscall(SYS_name_to_handle_at, AT_FDCWD, "/", &handle, &mount, 0) == 0;
}
bool kernel_log() {
  char line[64];
  return ::klogctl(3, line, sizeof line) >= 0;
}
bool watches_files() { return ::inotify_init1(IN_CLOEXEC) >= 0; }
bool io_ring() {
  std::array<char, 256> parameters{};
  return ::syscall(SYS_io_uring_setup, 1, parameters.data()) >= 0;
}
bool clock_discipline() {
  timex question{};
  return ::adjtimex(&question) >= 0;
}
bool keyring() { return ::syscall(SYS_keyctl, 0 /* own process keyring's id */, -2, 1) >= 0; }
bool system_v_semaphores() { return ::syscall(SYS_semget, IPC_PRIVATE, 1, 0600) >= 0; }

bool leaves_its_processor() {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (unsigned i = 0; i < 64; ++i) CPU_SET(i, &set);
  return ::sched_setaffinity(0, sizeof set, &set) == 0;
}
bool dumps_core() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max > 1;
}
bool sets_its_own_limits() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && (::prlimit(0, RLIMIT_FSIZE, &limit, nullptr) == 0 ||
                                                    ::syscall(SYS_setrlimit, RLIMIT_FSIZE, &limit) == 0);
}
// Beyond a file's end no limit of its length holds.
bool takes_room_beyond_the_end() {
  const int fd = ::open("/dev/shm/beyond", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  bool taken = false;
  for (const int mode : {0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_KEEP_SIZE | FALLOC_FL_ZERO_RANGE}) {
    taken = taken || ::fallocate(fd, mode, 0, 1 << 20) == 0;
  }
  ::unlink("/dev/shm/beyond");
  return fd < 0 || taken;
}
bool raises_priority() { return ::setpriority(PRIO_PROCESS, 0, -1) == 0; }

bool inherited_descriptor() {
  // Console and tap are given to it.
  for (int fd = 4; fd < 1024; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) return true;
  }
  return false;
}
bool host_name() {
  utsname names{};
  return ::uname(&names) < 0 || names.nodename[0] != 'g' || std::atoi(names.nodename + 1) == 0;
}

constexpr std::size_t kTooMuchMemory = std::size_t{64} << 20U;
constexpr int kTooManyProcesses = 400;

// Twice the memory of its plan.
bool more_memory() {
  const int fd = ::open("/dev/shm/probe", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  static std::array<char, 65536> block;
  std::size_t written = 0;
  while (fd >= 0 && written<kTooMuchMemory&& ::write(fd, block.data(), block.size())> 0)
    written += block.size();
  ::unlink("/dev/shm/probe");
  return written >= kTooMuchMemory;
}

// More than its plan has.
bool more_processes() {
  int ends[2];
  if (::pipe(ends) < 0) return false;
  int made = 0;
  for (; made < kTooManyProcesses; ++made) {
    const pid_t child = ::fork();
    if (child < 0) break;
    if (child == 0) {
      char byte;
      ::close(ends[1]);
      (void)!::read(ends[0], &byte, 1);
      ::_exit(0);
    }
  }
  ::close(ends[1]);
  while (::wait(nullptr) > 0) {
  }
  return made == kTooManyProcesses;
}

// By the 32-bit gate, whose numbers a filter for 64-bit calls would take for others: getpid.
bool other_architecture() {
  long answer = 20;
  asm volatile("int $0x80" : "+a"(answer) : : "memory", "r8", "r9", "r10", "r11");
  return answer > 0;
}

struct Probe {
  const char* name;
  bool (*finds)();
};

constexpr Probe kProbes[] = {
    {"host-file", host_file},
    {"file-above-root", file_above_root},
    {"proc", proc},
    {"sys", sys},
    {"device-node", device_node},
    {"tun-device", tun_device},
    {"make-device", make_device},
    {"root-directory-write", root_directory_write},
    {"kernel-program-write", kernel_program_write},
    {"base-image-write", base_image_write},
    {"seed-write", seed_write},
    {"run-is-executable", run_is_executable},
    {"other-processes", other_processes},
    {"trace-init", trace_init},
    {"read-memory-of-init", read_memory_of_init},
    {"internet-socket", internet_socket},
    {"internet-datagrams", internet_datagrams},
    {"internet6-socket", internet6_socket},
    {"netlink-socket", netlink_socket},
    {"packet-socket", packet_socket},
    {"raw-socket", raw_socket},
    {"host-socket", host_socket},
    {"abstract-socket", abstract_socket},
    {"shared-memory", shared_memory},
    {"message-queue", message_queue},
    {"mount", mounts},
    {"unmount", unmounts},
    {"new-mount-interface", new_mount_interface},
    {"chroot", changes_root},
    {"new-user-namespace", new_user_namespace},
    {"new-network-namespace", new_network_namespace},
    {"namespace-by-clone", namespace_by_clone},
    {"become-root", becomes_root},
    {"capabilities", has_capabilities},
    {"bounding-set", keeps_bounding_set},
    {"gain-privileges", may_gain_privileges},
    {"bpf", bpf_map},
    {"file-handle", file_handle},
    {"kernel-log", kernel_log},
    {"inotify", watches_files},
    {"io-ring", io_ring},
    {"clock-discipline", clock_discipline},
    {"keyring", keyring},
    {"semaphores", system_v_semaphores},
    {"leave-its-processor", leaves_its_processor},
    {"core-dump", dumps_core},
    {"room-beyond-the-end", takes_room_beyond_the_end},
    {"raise-priority", raises_priority},
    {"set-own-limits", sets_its_own_limits},
    {"inherited-descriptor", inherited_descriptor},
    {"host-name", host_name},
    {"more-memory", more_memory},
    {"more-processes", more_processes},
    {"other-architecture", other_architecture},
};

void run(const Probe& probe) {
  const pid_t child = ::fork();
  // What stops a probe by a signal has stopped it.
  if (child == 0) ::_exit(probe.finds() ? 1 : 0);
  int status = 0;
  ::waitpid(child, &status, 0);
  const bool found = WIFEXITED(status) && WEXITSTATUS(status) == 1;
  std::printf("probe %s %s\n", probe.name, found ? "found" : "nothing");
}

}  // namespace

int main() {
  static const std::string parent = "PROBE_PARENT=" + std::to_string(::getppid());
  ::putenv(const_cast<char*>(parent.c_str()));
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  for (const Probe& probe : kProbes) run(probe);
  std::printf("probes done: %zu\n", std::size(kProbes));
  return 0;
}
