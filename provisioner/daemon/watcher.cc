#include "provisioner/daemon/watcher.h"

#include <sys/socket.h>

#include <array>
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
  socket.non_blocking(true);
  for (;;) {
    const auto [error] = co_await socket.async_wait(Socket::wait_read, asio::as_tuple(asio::use_awaitable));
    if (error || !hear(number, socket)) break;
  }
  lost(number, true);
}

// Not part of the above: each of thousands that wait would keep room for a packet.
bool Watcher::hear(std::int64_t number, Socket& socket) {
  std::array<char, 4096> packet;
  asio::socket_base::message_flags flags = 0;
  boost::system::error_code error;
  const std::size_t size = socket.receive(asio::buffer(packet), 0, flags, error);
  if (error == asio::error::would_block) return true;
  if (error || size == 0) return false;
  const auto text = guest::parse_answer({packet.data(), size});
  const auto status = text ? guest::parse_status(*text) : text.error();
  if (status) hooks_.status(number, *status);
  return true;
}

void Watcher::lost(std::int64_t number, bool reached) {
  {
    const std::lock_guard lock(mutex_);
    followed_.erase(number);
  }
  hooks_.gone(number, reached);
}

}  // namespace umlfarm::daemon
