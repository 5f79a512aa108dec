// The only program of the guest that umlfarm-probe starts: shows that processes, signals and faults work in
// it, and that the processor's wide registers live through them. Says what it found on the console, and
// powers off.
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>

namespace {

volatile sig_atomic_t signals = 0;
void count(int /*signal*/) { signals = signals + 1; }

void* fresh_page() {
  return ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

// In a child: a signal, a page fault, a hundred system calls.
bool child_works() {
  (void)std::signal(SIGUSR1, count);
  for (int i = 0; i < 100; ++i) (void)::getppid();
  if (::raise(SIGUSR1) != 0 || signals != 1) return false;
  void* const page = fresh_page();
  if (page == MAP_FAILED) return false;
  std::memset(page, 1, 4096);
  return true;
}

template <typename Work>
bool in_children(int count_of, Work work) {
  for (int i = 0; i < count_of; ++i) {
    const pid_t pid = ::fork();
    if (pid < 0) return false;
    if (pid == 0) ::_exit(work(i) ? 7 : 1);
    int status = 0;
    if (::waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 7) return false;
  }
  return true;
}

// Loads both halves of two wide registers, makes a system call and touches a page, and looks at them again.
__attribute__((target("avx"))) bool registers_live(unsigned char seed) {
  alignas(32) unsigned char before[64];
  alignas(32) unsigned char after[64] = {};
  for (unsigned i = 0; i < sizeof before; ++i) before[i] = static_cast<unsigned char>(seed + i * 3);
  void* const page = fresh_page();
  if (page == MAP_FAILED) return false;
  long number = 39;  // getpid
  asm volatile(
      "vmovups (%[before]), %%ymm5\n\t"
      "vmovups 32(%[before]), %%ymm12\n\t"
      "syscall\n\t"
      "movb $1, (%[page])\n\t"
      "vmovups %%ymm5, (%[after])\n\t"
      "vmovups %%ymm12, 32(%[after])\n\t"
      : "+a"(number)
      : [before] "r"(before), [after] "r"(after), [page] "r"(page)
      : "rcx", "r11", "memory", "xmm5", "xmm12");
  (void)::munmap(page, 4096);
  return number == ::getpid() && std::memcmp(before, after, sizeof before) == 0;
}

bool wide_works(int child) {
  for (int i = 0; i < 50; ++i) {
    if (!registers_live(static_cast<unsigned char>(child * 50 + i))) return false;
  }
  return true;
}

}  // namespace

int main() {
  std::puts("probe: alive");
  std::puts(in_children(20, [](int) { return child_works(); }) ? "probe: narrow works"
                                                               : "probe: narrow fails");
  if (!__builtin_cpu_supports("avx")) {
    std::puts("probe: wide missing");
  } else {
    std::puts(in_children(5, wide_works) ? "probe: wide works" : "probe: wide fails");
  }
  (void)std::fflush(stdout);
  (void)::reboot(RB_POWER_OFF);
  return 1;
}
