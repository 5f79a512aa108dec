#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iostream>
#include <thread>

#include "provisioner/base/posix.h"
#include "provisioner/cli/arguments.h"
#include "provisioner/cli/commands/commands.h"
#include "provisioner/cli/escape_key.h"
#include "provisioner/cli/raw_terminal.h"

namespace umlfarm::cli {
namespace {

// Blocked before any thread begins, so that the change of the window's size arrives as a descriptor.
UniqueFd window_changes() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGWINCH);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return UniqueFd(::signalfd(-1, &signals, SFD_CLOEXEC));
}

// Until the escape key, the end of input, or the channel's.
void pass_input(api::ClientChannel& channel, int changes) {
  std::array<char, 4096> buffer;
  std::array<pollfd, 2> watched{{{0, POLLIN, 0}, {changes, POLLIN, 0}}};
  for (;;) {
    if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) break;
    if (watched[1].revents != 0) {
      (void)!::read(changes, buffer.data(), sizeof(signalfd_siginfo));
      if (const std::string size = terminal_size(); !size.empty() && !channel.send_text(size)) return;
    }
    if (watched[0].revents == 0) continue;
    const ssize_t count = ::read(0, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    const Typed typed = split_at_escape({buffer.data(), static_cast<std::size_t>(count)});
    if (!typed.data.empty() && !channel.send(typed.data)) return;
    if (typed.leave) break;
  }
  channel.leave();
}

Result<int> run(Context& context, const std::vector<std::string>& arguments) {
  const Parsed parsed = parse(arguments, {}, 1, 1);
  const std::string name = name_argument("guest name", parsed.words[0]);
  const UniqueFd changes = window_changes();
  UMLFARM_ASSIGN(const auto channel, context.client.open_channel("/v1/guests/" + name + "/console"));
  std::cerr << "console of " << name << "; Ctrl-] leaves it\n";
  {
    const RawTerminal terminal;
    std::thread([&channel, &changes] {
      if (const std::string size = terminal_size(); !size.empty()) (void)channel->send_text(size);
      pass_input(*channel, changes.get());
    }).detach();
    UMLFARM_TRY(channel->run([](std::string_view data) { (void)posix::write_all(1, data); }));
  }
  std::cerr << "\nleft the console of " << name << "\n";
  // The other thread may sit in read(2), for ever: it ends with the process.
  std::cout << std::flush;
  ::_exit(0);
}

}  // namespace

Command console_command() {
  return {
      "console",
      "NAME",
      "the guest's login console; Ctrl-] leaves it",
      "Connects this terminal to the guest's console. Ctrl-] leaves it; what runs there goes on. A guest\n"
      "whose root has no password logs root in by itself: whoever may use the farm has power over it\n"
      "anyway.\n\n  umlfarm console alice\n",
      run,
      {}};
}

}  // namespace umlfarm::cli
