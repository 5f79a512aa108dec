#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <thread>

#include "provisioner/base/posix.h"
#include "provisioner/cli/arguments.h"
#include "provisioner/cli/commands/commands.h"

namespace umlfarm::cli {
namespace {

void pass_input(api::ClientChannel& channel) {
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t count = ::read(0, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    if (!channel.send({buffer.data(), static_cast<std::size_t>(count)})) return;
  }
  // The other side may still have an answer to send.
  (void)channel.send_text("eof");
}

Result<int> run(Context& context, const std::vector<std::string>& arguments) {
  const Parsed parsed = parse(arguments, {}, 2, 2);
  const std::string name = name_argument("guest name", parsed.words[0]);
  const std::string& port = parsed.words[1];
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size() || number == 0) {
    wrong_use("port '" + port + "': must be 1 to 65535");
  }
  UMLFARM_ASSIGN(const auto channel, context.client.open_channel("/v1/guests/" + name +
                                                                 "/tunnel?port=" + std::to_string(number)));
  std::thread([&channel] { pass_input(*channel); }).detach();
  bool broken = false;
  UMLFARM_TRY(channel->run([&](std::string_view data) {
    if (!broken && !posix::write_all(1, data)) {
      broken = true;
      channel->leave();
    }
  }));
  // The other thread may sit in read(2): it ends with the process.
  ::_exit(0);
}

}  // namespace

Command tunnel_command() {
  return {"tunnel",
          "NAME PORT",
          "connect standard input and output to a TCP port of a guest",
          "Reaches a port of a guest from inside the farm's network, wherever the farm's own network is.\n\n"
          "  umlfarm tunnel alice 80\n"
          "  ssh -o ProxyCommand='umlfarm tunnel %h %p' root@alice\n",
          run,
          {}};
}

}  // namespace umlfarm::cli
