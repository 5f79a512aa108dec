// umlfarm-probe: whether this machine runs guests, found out by running one in a jail as all others have.
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/program_options.hpp>
#include <chrono>
#include <csignal>
#include <iostream>

#include "guest/jail/jail.h"
#include "guest/probe/verdict.h"
#include "provisioner/base/installed.h"
#include "provisioner/base/posix.h"

namespace umlfarm::guest {
namespace {

namespace options = boost::program_options;
using Clock = std::chrono::steady_clock;

constexpr int kWrongUse = 2;
constexpr std::uint64_t kMemory = std::uint64_t{48} << 20U;
constexpr std::uint64_t kAround = std::uint64_t{16} << 20U;
// Some hundred times as long as it takes; emulated machines are slow.
constexpr std::chrono::seconds kPatience{60};
// Of a guest's; what comes after is not kept.
constexpr std::size_t kMostWords = std::size_t{1} << 20U;

struct Arguments {
  std::string kernel;
  std::string image;
  bool seccomp = false;
  bool show_console = false;
  unsigned uid = 2'059'999;  // the last of the farm's usual range
};

JailSpec jail_of(const Arguments& arguments, const std::string& root) {
  JailSpec jail;
  jail.id = "probe";
  jail.root = root;
  jail.kernel = arguments.kernel;
  jail.arguments = {"mem=" + std::to_string(kMemory >> 20U) + "M",
                    "root=/dev/ubda",
                    "ro",
                    "ubd0rd=/probe.img",
                    "con0=fd:0,fd:1",
                    "con=null",
                    "console=tty0",
                    "uml_dir=/run",
                    "umid=probe",
                    "noreboot",
                    "init=/probe",
                    std::string("seccomp=") + (arguments.seccomp ? "on" : "off")};
  jail.files = {{arguments.image, "/probe.img", false, false}};
  jail.memory_bytes = kMemory + kAround;
  jail.uid = arguments.uid;
  jail.gid = arguments.uid;
  jail.seccomp_userspace = arguments.seccomp;
  jail.max_file_bytes = jail.memory_bytes;
  return jail;
}

int number_in(const std::string& path) {
  const std::string text = posix::read_file(path).value_or("0");
  return std::atoi(text.c_str());
}

bool is_filtered() {
  return posix::read_file("/proc/self/status").value_or("").find("\nSeccomp:\t2") != std::string::npos;
}

// A kernel wants a terminal for its console.
Result<UniqueFd> open_terminal() {
  UniqueFd terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal || ::unlockpt(terminal.get()) < 0) return system_error("make a terminal");
  return terminal;
}

// All that comes until the other end closes, or patience ends.
bool read_until_closed(int fd, std::string& text) {
  const auto deadline = Clock::now() + kPatience;
  std::array<char, 4096> piece{};
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd wait{fd, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(left.count())) == 0) return false;
    const ssize_t count = ::read(fd, piece.data(), piece.size());
    if (count <= 0) return true;
    if (text.size() < kMostWords) text.append(piece.data(), static_cast<std::size_t>(count));
  }
}

std::string failure(int reports) {
  for (;;) {
    const auto report = read_report(reports);
    if (!report) return {};
    if (report->what == JailReport::What::Failed) return report->why;
  }
}

Result<ProbeFacts> run_guest(const Arguments& arguments, const std::string& root) {
  const JailSpec spec = jail_of(arguments, root);
  UMLFARM_ASSIGN(const UniqueFd output, open_terminal());
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg)
  UniqueFd input(::ioctl(output.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!input) return system_error("open a terminal for the guest");
  UMLFARM_ASSIGN(UniqueFd run, make_tmpfs(std::uint64_t{1} << 20U, 64, spec.uid, spec.gid, false));
  UMLFARM_ASSIGN(UniqueFd memory, make_tmpfs(spec.memory_bytes, 16, spec.uid, spec.gid, true));
  UMLFARM_ASSIGN(const Jailed jailed, start_jail(spec, {input.get(), -1, run.get(), memory.get()}));
  input.reset();
  ProbeFacts facts;
  facts.in_time = read_until_closed(output.get(), facts.console);
  // Everything in the jail ends with its init, which may have ended by itself.
  (void)::syscall(SYS_pidfd_send_signal, jailed.pidfd.get(), SIGKILL, nullptr, 0);
  facts.refused = failure(jailed.reports.get());
  (void)::waitpid(jailed.init, nullptr, 0);
  facts.seccomp = arguments.seccomp;
  facts.ptrace_scope = number_in("/proc/sys/kernel/yama/ptrace_scope");
  facts.memfd_noexec = number_in("/proc/sys/vm/memfd_noexec");
  facts.filtered = is_filtered();
  return facts;
}

Result<ProbeVerdict> probe(const Arguments& arguments) {
  if (::geteuid() != 0) return Error(Kind::Denied, "building a jail needs root: run it with sudo");
  UMLFARM_TRY(posix::open(arguments.kernel, O_RDONLY));
  UMLFARM_TRY(posix::open(arguments.image, O_RDONLY));
  std::string root = "/tmp/umlfarm-probe.XXXXXX";
  if (::mkdtemp(root.data()) == nullptr) return system_error("make a directory in /tmp");
  const auto facts = run_guest(arguments, root);
  (void)::rmdir(root.c_str());
  if (!facts) return facts.error();
  if (arguments.show_console) std::cerr << facts->console;
  return judge(*facts);
}

std::string usual_image() {
  const std::string image = installed("lib/umlfarm/probe.img");
  return image.empty() ? UMLFARM_PROBE_IMAGE : image;
}

int run_main(int argc, char** argv) {
  Arguments arguments;
  options::options_description known(
      "umlfarm-probe KERNEL: whether this machine runs guests, found out by running one.\n"
      "Says \"ok\" or the reason as a word, and then why\n\nOptions");
  known.add_options()("help,h", "say this")("version", "say which version this is")(
      "seccomp", options::bool_switch(&arguments.seccomp),
      "as kernels of flavour fast do it; else by ptrace")("console",
                                                          options::bool_switch(&arguments.show_console),
                                                          "also all that the guest says, on standard error")(
      "uid", options::value(&arguments.uid)->default_value(arguments.uid), "the user it runs as")(
      "kernel", options::value(&arguments.kernel), "the guest kernel, a file");
  options::positional_options_description words;
  words.add("kernel", 1);
  options::variables_map values;
  options::store(options::command_line_parser(argc, argv).options(known).positional(words).run(), values);
  options::notify(values);
  if (values.count("help") != 0) {
    std::cout << known;
    return 0;
  }
  if (values.count("version") != 0) {
    std::cout << "umlfarm-probe " UMLFARM_VERSION "\n";
    return 0;
  }
  if (arguments.kernel.empty()) throw options::error("which kernel? Give its path");
  if (arguments.uid == 0) throw options::error("--uid 0: a guest never runs as root");
  arguments.image = usual_image();
  const auto verdict = probe(arguments);
  if (!verdict) {
    std::cerr << "umlfarm-probe: " << verdict.error().message() << "\n";
    return exit_code(verdict.error().kind());
  }
  std::cout << verdict->reason << " " << verdict->words << "\n";
  return verdict->reason == "ok" ? 0 : 1;
}

}  // namespace
}  // namespace umlfarm::guest

int main(int argc, char** argv) {
  try {
    return umlfarm::guest::run_main(argc, argv);
  } catch (const boost::program_options::error& fault) {
    std::cerr << "umlfarm-probe: " << fault.what() << "; see umlfarm-probe --help\n";
    return umlfarm::guest::kWrongUse;
  } catch (const std::exception& fault) {
    std::cerr << "umlfarm-probe: " << fault.what() << "\n";
    return 1;
  }
}
