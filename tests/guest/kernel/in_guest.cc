// What tests of the guest's kernel ask as a program in the guest:
//   registers   whether vector and control registers stay what they were, whatever happens in between
//   rings NAME  the sizes of an interface's rings, as ethtool -g asks for them
//   scattered FILE  makes single sectors of its first MiB, as they are, the guest's own; then whether
//   requests
//                   of many segments read what requests of one do
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>

namespace {

constexpr std::size_t kVector = 32;  // of a ymm register
constexpr std::size_t kVectors = 16;
constexpr unsigned kProcesses = 3;
constexpr unsigned kThreads = 2;
constexpr unsigned kRounds = 60;
constexpr std::size_t kPage = 4096;
constexpr unsigned kPages = 16;

// mxcsr stands after the vectors.
struct alignas(32) Registers {
  unsigned char vectors[kVectors * kVector] = {};
  std::uint32_t mxcsr = 0;
};

Registers pattern(unsigned seed) {
  Registers registers;
  for (unsigned char& byte : registers.vectors)
    byte = static_cast<unsigned char>(seed = seed * 69069 + 1, seed >> 16U);
  constexpr std::uint32_t kMasked = 0x1f80;
  registers.mxcsr = kMasked | (seed >> 20U & 3U) << 13U;  // one of four ways to round
  return registers;
}

#define EACH_VECTOR(m) m(0) m(1) m(2) m(3) m(4) m(5) m(6) m(7) m(8) m(9) m(10) m(11) m(12) m(13) m(14) m(15)
#define LOAD_YMM(n) "vmovups 32*" #n "(%[in]), %%ymm" #n "\n"
#define SAVE_YMM(n) "vmovups %%ymm" #n ", 32*" #n "(%[out])\n"
#define LOAD_XMM(n) "movups 32*" #n "(%[in]), %%xmm" #n "\n"
#define SAVE_XMM(n) "movups %%xmm" #n ", 32*" #n "(%[out])\n"
#define VECTORS_CLOBBERED                                                                                    \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", \
      "xmm13", "xmm14", "xmm15"

// Between loading and saving there is the system call, and then a touch of `page`.
#define WITH_REGISTERS(LOAD, SAVE) \
  asm volatile(EACH_VECTOR(LOAD) "ldmxcsr 512(%[in])\n"                                                    \
                                 "syscall\n"                                                               \
                                 "movb $1, (%[page])\n" EACH_VECTOR(SAVE) "stmxcsr 512(%[out])\n"          \
                                                                          "ldmxcsr %[normal]\n"            \
               : "+a"(result)                                                                              \
               : [in] "r"(&in), [out] "r"(&out), [page] "r"(page), [normal] "m"(normal), "D"(one), "S"(two), \
                 "d"(three)                                                                                \
               : "rcx", "r11", "memory", VECTORS_CLOBBERED)

long call_with(const Registers& in, Registers& out, char* page, long number, long one = 0, long two = 0,
               long three = 0) {
  static const bool avx = __builtin_cpu_supports("avx") != 0;
  static const std::uint32_t normal = 0x1f80;
  long result = number;
  if (avx) {
    WITH_REGISTERS(LOAD_YMM, SAVE_YMM);
    asm volatile("vzeroupper");
  } else {
    WITH_REGISTERS(LOAD_XMM, SAVE_XMM);
  }
  return result;
}

bool equal(const Registers& in, const Registers& out) {
  const std::size_t width = __builtin_cpu_supports("avx") != 0 ? kVector : kVector / 2;
  for (std::size_t i = 0; i < kVectors; ++i) {
    if (std::memcmp(in.vectors + i * kVector, out.vectors + i * kVector, width) != 0) return false;
  }
  return in.mxcsr == out.mxcsr;
}

void spoil(int) {
  static char page;
  Registers out;
  call_with(pattern(0xbad), out, &page, SYS_getpid);
}

// The first thing that changed registers, or null.
const char* changed_by(unsigned seed) {
  char touched = 0;
  const long process = ::getpid();
  const long thread = ::syscall(SYS_gettid);
  for (unsigned round = 0; round < kRounds; ++round) {
    const Registers in = pattern(seed + round);
    Registers out;
    const auto kept = [&] { return equal(in, out); };
    call_with(in, out, &touched, SYS_getpid);
    if (!kept()) return "a system call";
    call_with(in, out, &touched, SYS_sched_yield);
    if (!kept()) return "a switch to another";
    const timespec moment{0, 1000};
    call_with(in, out, &touched, SYS_nanosleep, reinterpret_cast<long>(&moment));
    if (!kept()) return "a sleep";
    call_with(in, out, &touched, SYS_tgkill, process, thread, SIGUSR1);
    if (!kept()) return "a signal's handler";
    char* const fresh = static_cast<char*>(
        ::mmap(nullptr, kPages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (std::size_t at = 0; at < kPages * kPage; at += kPage) {
      call_with(in, out, fresh + at, SYS_getpid);
      if (!kept()) return "a page fault";
    }
    ::munmap(fresh, kPages * kPage);
    if (round % 8 != 0) continue;
    const long child = call_with(in, out, &touched, SYS_fork);
    if (child == 0) ::_exit(kept() ? 0 : 1);
    if (!kept()) return "a fork";
    int status = 0;
    if (::waitpid(static_cast<pid_t>(child), &status, 0) != child || status != 0) return "being forked";
  }
  return nullptr;
}

void* check(void* seed) {
  return const_cast<char*>(changed_by(static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(seed))));
}

// Several processes, each of several threads, all at once.
int registers() {
  ::signal(SIGUSR1, spoil);
  for (unsigned process = 0; process < kProcesses; ++process) {
    if (::fork() != 0) continue;
    pthread_t threads[kThreads];
    for (unsigned i = 0; i < kThreads; ++i) {
      const std::uintptr_t seed = (process * kThreads + i) * 1000003 + 1;
      if (::pthread_create(&threads[i], nullptr, check, reinterpret_cast<void*>(seed)) != 0) ::_exit(2);
    }
    int code = 0;
    for (const pthread_t thread : threads) {
      void* what = nullptr;
      ::pthread_join(thread, &what);
      if (what != nullptr) std::printf("registers changed by %s\n", static_cast<const char*>(what));
      if (what != nullptr) code = 1;
    }
    std::fflush(stdout);
    ::_exit(code);
  }
  unsigned good = 0;
  int status = 0;
  while (::wait(&status) > 0) good += status == 0 ? 1 : 0;
  std::printf("%u of %u processes kept their registers\n", good, kProcesses);
  return good == kProcesses ? 0 : 1;
}

int rings(const char* name) {
  ethtool_ringparam ring{};
  ring.cmd = ETHTOOL_GRINGPARAM;
  ifreq request{};
  std::strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
  request.ifr_data = reinterpret_cast<char*>(&ring);
  if (::ioctl(::socket(AF_INET, SOCK_DGRAM, 0), SIOCETHTOOL, &request) < 0) {
    std::perror(name);
    return 1;
  }
  std::printf("rx %u tx %u\n", ring.rx_pending, ring.tx_pending);
  return 0;
}

// The next 64 KiB, straight from the disk.
bool read_piece(int fd, char* const pages[], unsigned at_once, off_t from) {
  for (unsigned page = 0; page < kPages; page += at_once) {
    iovec segments[kPages];
    for (unsigned i = 0; i < at_once; ++i) segments[i] = {pages[page + i], kPage};
    const auto size = static_cast<ssize_t>(at_once * kPage);
    if (::preadv(fd, segments, static_cast<int>(at_once), from + page * kPage) != size) return false;
  }
  return true;
}

// Each 37th sector of the piece.
bool rewrite_sectors(int fd, char* page, off_t from) {
  constexpr std::size_t kSector = 512;
  for (off_t at = from; at < from + static_cast<off_t>(kPages * kPage); at += 37 * kSector) {
    if (::pread(fd, page, kSector, at) != kSector || ::pwrite(fd, page, kSector, at) != kSector) return false;
  }
  return true;
}

int scattered(const char* file) {
  const int fd = ::open(file, O_RDWR | O_DIRECT);
  char* const memory = static_cast<char*>(
      ::mmap(nullptr, 2 * kPages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  char* many[kPages];
  char* one[kPages];
  // Pages that are given out from high to low lie apart for the disk.
  for (unsigned i = kPages; i-- > 0;) {
    many[i] = memory + i * kPage;
    one[i] = memory + (kPages + i) * kPage;
    *many[i] = *one[i] = 1;
  }
  unsigned long filled = 0;
  for (off_t from = 0; from < 1 << 20; from += kPages * kPage) {
    if (!rewrite_sectors(fd, one[0], from) || !read_piece(fd, many, kPages, from) ||
        !read_piece(fd, one, 1, from)) {
      std::perror(file);
      return 1;
    }
    for (unsigned i = 0; i < kPages; ++i) {
      if (std::memcmp(many[i], one[i], kPage) != 0) {
        std::printf("differs in the page at %lld\n", static_cast<long long>(from + i * kPage));
        return 1;
      }
      filled += one[i][0] != 0 ? 1 : 0;
    }
  }
  std::printf(filled != 0 ? "the same\n" : "nothing is there to read\n");
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const char* const what = count > 1 ? arguments[1] : "";
  if (std::strcmp(what, "registers") == 0) return registers();
  if (std::strcmp(what, "rings") == 0 && count > 2) return rings(arguments[2]);
  if (std::strcmp(what, "scattered") == 0 && count > 2) return scattered(arguments[2]);
  return 2;
}
