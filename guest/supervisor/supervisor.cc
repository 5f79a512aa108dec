#include "guest/supervisor/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>

#include "guest/jail/credentials.h"
#include "guest/jail/jail.h"
#include "guest/mconsole/client.h"
#include "guest/supervisor/clients.h"
#include "guest/supervisor/console.h"
#include "guest/supervisor/exit_record.h"
#include "guest/supervisor/health.h"
#include "guest/supervisor/output_budget.h"
#include "guest/supervisor/room.h"
#include "guest/supervisor/sockets.h"
#include "guest/supervisor/stop_sequence.h"
#include "provisioner/base/atomic_file.h"
#include "provisioner/base/clock.h"
#include "provisioner/base/posix.h"

namespace umlfarm::guest {
namespace {

constexpr std::int64_t kAnswerLimit = 5000;          // milliseconds
constexpr std::int64_t kPatienceOnSigterm = 10'000;  // milliseconds
constexpr unsigned kRunInodes = 64;
constexpr std::uint64_t kRunBytes = std::uint64_t{256} << 10U;
// umid=g under uml_dir=/run; see guest/boot.
constexpr const char* kConsoleSocket = "g/mconsole";

class Supervisor final : public ControlTarget {
 public:
  explicit Supervisor(SupervisorSpec spec) : spec_(std::move(spec)) {}

  // SIGTERM, blocked, arrives at `terminate`.
  void listen_for_sigterm(UniqueFd terminate) { terminate_ = std::move(terminate); }
  Status launch();
  // After a launch that failed: nothing stays, and whoever started us says why.
  void abandon();
  void run();
  void conclude();

  // ControlTarget
  SupervisorStatus status() const override;
  void mconsole(const std::string& command, mconsole::Client::Done done) override {
    mconsole_->ask(command, kAnswerLimit, std::move(done));
  }
  void stop(std::int64_t patience) override;
  void kill() override;
  Console& console() override { return *console_; }

 private:
  Status wait_for_start();
  void end_jail();
  void remove_socket();
  void turn();
  int patience() const;
  void drain_notifications();
  void on_notification(const mconsole::Notification& notification);
  void on_report();
  void on_time();
  void take_step(StopStep step);
  void probe();
  void tell(const char* command) {
    mconsole_->ask(command, kAnswerLimit, [](const Result<mconsole::Reply>&) {});
  }

  SupervisorSpec spec_;
  UniqueFd terminate_;
  UniqueFd run_mount_;
  UniqueFd memory_mount_;
  UniqueFd notify_;
  std::optional<Console> console_;
  OutputBudget output_{monotonic_ms()};
  std::unique_ptr<mconsole::Client> mconsole_;
  std::unique_ptr<Clients> clients_;
  Jailed jail_;
  bool ended_ = false;
  ExitFacts facts_;
  StopSequence stopping_;
  Health health_;
  Room room_;
  std::int64_t started_ms_ = 0;
  std::int64_t ready_ms_ = 0;
  std::int64_t answer_us_ = 0;
};

Status Supervisor::launch() {
  JailSpec& jail = spec_.jail;
  // What a guest makes its supervisor do, it does in the guest's place.
  UMLFARM_TRY(pin_to(jail.processors));
  UMLFARM_ASSIGN(run_mount_, make_tmpfs(kRunBytes, kRunInodes, jail.uid, jail.gid, false));
  UMLFARM_ASSIGN(memory_mount_, make_tmpfs(jail.memory_bytes, 16, jail.uid, jail.gid, true));
  UMLFARM_ASSIGN(console_, Console::open(spec_.log_file));
  UMLFARM_ASSIGN(UniqueFd listener,
                 bind_socket(spec_.run_directory + "/supervisor.sock", SOCK_SEQPACKET, 0600));
  clients_ = std::make_unique<Clients>(std::move(listener), *this);
  if (::fchdir(run_mount_.get()) < 0) return system_error("enter the guest's /run");
  UMLFARM_ASSIGN(notify_, bind_socket("notify", SOCK_DGRAM, 0666));
  mconsole_ = std::make_unique<mconsole::Client>(run_mount_.get(), kConsoleSocket);
  started_ms_ = wall_clock_ms();
  UMLFARM_ASSIGN(jail_,
                 start_jail(jail, {console_->slave(), spec_.tap, run_mount_.get(), memory_mount_.get()}));
  if (spec_.tap >= 0) ::close(spec_.tap);
  return wait_for_start();
}

Status Supervisor::wait_for_start() {
  UMLFARM_ASSIGN(const JailReport report, read_report(jail_.reports.get()));
  if (report.what == JailReport::What::Failed) return Error(Kind::Unavailable, report.why);
  return {};
}

void Supervisor::run() {
  while (!ended_) turn();
  // Whatever was written before the end is still in the terminal.
  while (true) {
    const std::string output = console_->take_output();
    if (output.empty()) break;
    clients_->on_console_output(output);
  }
  facts_.last_output = console_->tail();
  drain_notifications();
}

void Supervisor::turn() {
  const bool takes_output = output_.allows(monotonic_ms());
  std::vector<pollfd> watched{{jail_.reports.get(), POLLIN, 0},
                              {notify_.get(), POLLIN, 0},
                              {console_->master(), static_cast<short>(takes_output ? POLLIN : 0), 0},
                              {mconsole_->descriptor(), POLLIN, 0},
                              {terminate_.get(), POLLIN, 0}};
  const std::size_t first_client = watched.size();
  clients_->watch(watched);
  if (::poll(watched.data(), watched.size(), patience()) < 0 && errno != EINTR) std::abort();
  if (watched[1].revents != 0) drain_notifications();
  if (takes_output && watched[2].revents != 0) {
    const std::string output = console_->take_output();
    output_.spend(output.size());
    clients_->on_console_output(output);
  }
  if (watched[3].revents != 0) mconsole_->on_readable();
  if (watched[4].revents != 0) {
    signalfd_siginfo signal;
    (void)!::read(terminate_.get(), &signal, sizeof signal);
    stop(kPatienceOnSigterm);
  }
  clients_->serve({watched.data() + first_client, watched.size() - first_client});
  on_time();
  if (watched[0].revents != 0) on_report();
}

// Milliseconds until something is due; -1: nothing is.
int Supervisor::patience() const {
  std::optional<std::int64_t> next;
  for (const auto& due :
       {stopping_.next(), mconsole_->next(), health_.next(), output_.next(), room_.next()}) {
    if (due) next = std::min(next.value_or(*due), *due);
  }
  if (!next) return -1;
  return static_cast<int>(std::clamp<std::int64_t>(*next - monotonic_ms(), 0, 3'600'000));
}

// A reader that stalls freezes the guest after 11 messages.
void Supervisor::drain_notifications() {
  std::array<char, 1024> packet;
  for (int i = 0; i < 64; ++i) {
    const ssize_t size = ::recv(notify_.get(), packet.data(), packet.size(), MSG_DONTWAIT);
    if (size < 0) return;
    const auto notification = mconsole::decode_notification({packet.data(), static_cast<std::size_t>(size)});
    if (notification) on_notification(*notification);
  }
}

void Supervisor::on_notification(const mconsole::Notification& notification) {
  using Type = mconsole::Notification::Type;
  if (notification.type == Type::Panic) facts_.panic_text = notification.text;
  if (notification.type == Type::Hang) room_.on_notification(notification.text, monotonic_ms());
  if (notification.type != Type::User) return;
  const std::string& text = notification.text;
  if (text.substr(0, text.find_last_not_of("\r\n ") + 1) == spec_.ready_text)
    health_.on_ready(monotonic_ms());
}

void Supervisor::on_report() {
  const auto report = read_report(jail_.reports.get());
  if (report && report->what == JailReport::What::Exited) {
    facts_.reported = true;
    facts_.wait_status = report->wait_status;
    return;
  }
  ended_ = true;
}

void Supervisor::on_time() {
  const std::int64_t now = monotonic_ms();
  mconsole_->on_time(now);
  if (const auto step = stopping_.due(now)) take_step(*step);
  if (health_.next() && *health_.next() <= now) probe();
  if (room_.due(now)) clients_->on_status_change();
}

void Supervisor::take_step(StopStep step) {
  switch (step) {
    case StopStep::CtrlAltDel:
      return tell("cad");
    case StopStep::Sync:
      return tell("sysrq s");
    case StopStep::RemountReadOnly:
      return tell("sysrq u");
    case StopStep::Halt:
      return tell("halt");
    case StopStep::Kill:
      break;
  }
  facts_.killed_by_us = true;
  (void)::kill(jail_.init, SIGKILL);
}

void Supervisor::probe() {
  health_.on_probe_begun();
  const auto begun = std::chrono::steady_clock::now();
  const auto conclude = [this](bool answered) {
    health_.on_probed(monotonic_ms(), answered);
    if (answered && ready_ms_ == 0) ready_ms_ = wall_clock_ms();
    // How long it took is news in any case.
    clients_->on_status_change();
  };
  mconsole_->ask("version", kAnswerLimit, [this, begun, conclude](const Result<mconsole::Reply>& version) {
    if (!version) return conclude(false);
    using std::chrono::microseconds;
    answer_us_ = std::chrono::duration_cast<microseconds>(std::chrono::steady_clock::now() - begun).count();
    mconsole_->ask("help", kAnswerLimit,
                   [conclude](const Result<mconsole::Reply>& help) { conclude(help.has_value()); });
  });
}

void Supervisor::stop(std::int64_t patience) {
  facts_.stop_asked = true;
  stopping_.start(monotonic_ms(), patience);
  clients_->on_status_change();
}

void Supervisor::kill() {
  facts_.stop_asked = true;
  facts_.kill_asked = true;
  stopping_.kill(monotonic_ms());
  clients_->on_status_change();
}

SupervisorStatus Supervisor::status() const {
  SupervisorStatus status;
  switch (health_.state()) {
    case Health::State::Starting:
      status.state = SupervisorStatus::State::Starting;
      break;
    case Health::State::Ready:
      status.state = SupervisorStatus::State::Ready;
      break;
    case Health::State::Unhealthy:
      status.state = SupervisorStatus::State::Unhealthy;
      break;
  }
  if (stopping_.running()) status.state = SupervisorStatus::State::Stopping;
  status.started_ms = started_ms_;
  status.ready_ms = ready_ms_;
  status.init = jail_.init;
  status.processors = spec_.jail.processors;
  struct statfs memory {};
  if (::fstatfs(memory_mount_.get(), &memory) == 0) {
    status.memory_allocated = (memory.f_blocks - memory.f_bfree) * static_cast<std::uint64_t>(memory.f_bsize);
  }
  status.waits_for_room = room_.waits();
  status.answer_us = answer_us_;
  status.console_dropped = clients_->dropped();
  status.log_dropped = console_->log_dropped();
  return status;
}

// The record is on disk before the socket goes: whoever misses the socket finds the record. Without one the
// socket stays, and says that a guest ended unrecorded.
void Supervisor::conclude() {
  end_jail();
  const ExitRecord record = judge_exit(facts_, wall_clock_ms());
  if (write_file_atomically(spec_.exit_file, to_json(record), 0600)) remove_socket();
}

void Supervisor::abandon() {
  end_jail();
  remove_socket();
}

void Supervisor::end_jail() {
  if (jail_.init <= 0) return;
  (void)::kill(jail_.init, SIGKILL);
  while (::waitpid(jail_.init, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Supervisor::remove_socket() { (void)!posix::remove_file(spec_.run_directory + "/supervisor.sock"); }

UniqueFd block_sigterm() {
  sigset_t terminate;
  sigemptyset(&terminate);
  sigaddset(&terminate, SIGTERM);
  (void)::sigprocmask(SIG_BLOCK, &terminate, nullptr);
  return UniqueFd(::signalfd(-1, &terminate, SFD_CLOEXEC | SFD_NONBLOCK));
}

void report_launch(int to, const std::string& line) {
  if (to < 0) return;
  (void)posix::write_all(to, line);
  ::close(to);
}

// A supervisor must not hold whatever terminal or pipe its daemon was started with.
void leave_standard_descriptors() {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int standard = 0; standard < 3; ++standard) ::dup2(null, standard);
  if (null > 2) ::close(null);
}

}  // namespace

int supervise(SupervisorSpec spec) {
  const int launched = spec.launched;
  (void)::signal(SIGPIPE, SIG_IGN);
  // Ignored in the daemon, and that is inherited; then wait(2) would find nobody.
  (void)::signal(SIGCHLD, SIG_DFL);
  (void)::setsid();
  // Held for life, and not by what runs in the jail.
  (void)::fcntl(spec.lock, F_SETFD, FD_CLOEXEC);
  leave_standard_descriptors();
  Supervisor supervisor(std::move(spec));
  supervisor.listen_for_sigterm(block_sigterm());
  const Status started = supervisor.launch();
  if (!started) {
    supervisor.abandon();
    report_launch(launched, started.error().message() + "\n");
    return 1;
  }
  report_launch(launched, "ok\n");
  supervisor.run();
  supervisor.conclude();
  return 0;
}

}  // namespace umlfarm::guest
