#include "provisioner/daemon/watcher.h"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "provisioner/daemon/supervisor_client.h"

namespace umlfarm::daemon {

namespace asio = boost::asio;

void Watcher::follow(std::int64_t number, const std::string& socket) {
  {
    const std::lock_guard lock(mutex_);
    if (!followed_.insert(number).second) return;
  }
  auto stream = open_supervisor_stream(socket, "watch");
  const auto status = stream ? guest::parse_status(stream->first) : stream.error();
  if (!status) return lost(number, false);
  hooks_.status(number, *status);
  Socket connection(loop_);
  connection.assign(asio::generic::seq_packet_protocol(AF_UNIX, 0), stream->socket.release());
  asio::co_spawn(loop_, listen(number, std::move(connection)), asio::detached);
}

asio::awaitable<void> Watcher::listen(std::int64_t number, Socket socket) {
  std::string packet(4096, '\0');
  for (;;) {
    asio::socket_base::message_flags flags = 0;
    const auto [error, size] =
        co_await socket.async_receive(asio::buffer(packet), flags, asio::as_tuple(asio::use_awaitable));
    if (error || size == 0) break;
    const auto text = guest::parse_answer({packet.data(), size});
    const auto status = text ? guest::parse_status(*text) : text.error();
    if (status) hooks_.status(number, *status);
  }
  lost(number, true);
}

void Watcher::lost(std::int64_t number, bool reached) {
  {
    const std::lock_guard lock(mutex_);
    followed_.erase(number);
  }
  hooks_.gone(number, reached);
}

}  // namespace umlfarm::daemon
