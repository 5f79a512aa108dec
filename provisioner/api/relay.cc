#include "provisioner/api/relay.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/json.hpp>

namespace umlfarm::api {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace json = boost::json;

using WebSocket = beast::websocket::stream<asio::local::stream_protocol::socket>;
// Each write of it is one packet where the descriptor has packets.
using Descriptor = asio::posix::stream_descriptor;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kMostInput = 4096;  // of one console packet

// "wROWS COLS" from {"rows":..,"cols":..}; empty for anything else.
std::string resize_packet(const std::string& text) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  const json::object* const object = error ? nullptr : value.if_object();
  const json::value* const rows = object == nullptr ? nullptr : object->if_contains("rows");
  const json::value* const columns = object == nullptr ? nullptr : object->if_contains("cols");
  if (rows == nullptr || columns == nullptr || !rows->is_int64() || !columns->is_int64()) return {};
  return "w" + std::to_string(rows->as_int64()) + " " + std::to_string(columns->as_int64());
}

asio::awaitable<void> to_peer(Descriptor& channel, WebSocket& peer, const Channel& settings) {
  std::string buffer(65536, '\0');
  if (!settings.first.empty()) {
    const auto [failed, sent] = co_await peer.async_write(asio::buffer(settings.first), kTuple);
    if (failed) co_return;
  }
  for (;;) {
    const auto [error, size] = co_await channel.async_read_some(asio::buffer(buffer), kTuple);
    if (error || size == 0) break;
    const auto [failed, sent] = co_await peer.async_write(asio::buffer(buffer.data(), size), kTuple);
    if (failed) co_return;
  }
  co_await peer.async_close(beast::websocket::close_code::normal, kTuple);
}

asio::awaitable<bool> send_input(Descriptor& channel, const std::string& data) {
  for (std::size_t at = 0; at < data.size(); at += kMostInput) {
    const std::string packet = "d" + data.substr(at, kMostInput);
    const auto [error, size] = co_await asio::async_write(channel, asio::buffer(packet), kTuple);
    if (error) co_return false;
  }
  co_return true;
}

asio::awaitable<void> from_peer(WebSocket& peer, Descriptor& channel, const Channel& settings) {
  beast::flat_buffer buffer;
  for (;;) {
    buffer.clear();
    const auto [error, size] = co_await peer.async_read(buffer, kTuple);
    if (error) co_return;
    const std::string data = beast::buffers_to_string(buffer.data());
    if (settings.console && peer.got_binary()) {
      const bool sent = co_await send_input(channel, data);
      if (!sent) co_return;
      continue;
    }
    if (!settings.console && peer.got_text()) {
      // The peer has no more to say, and still listens.
      if (data == "eof") ::shutdown(channel.native_handle(), SHUT_WR);
      continue;
    }
    const std::string packet = settings.console ? resize_packet(data) : data;
    if (packet.empty()) continue;
    const auto [failed, written] = co_await asio::async_write(channel, asio::buffer(packet), kTuple);
    if (failed) co_return;
  }
}

}  // namespace

asio::awaitable<void> relay(asio::local::stream_protocol::socket socket,
                            const beast::http::request<beast::http::string_body>& upgrade, Channel& channel) {
  using asio::experimental::awaitable_operators::operator||;
  WebSocket peer(std::move(socket));
  peer.binary(true);
  peer.read_message_max(std::size_t{1} << 20U);
  const auto [error] = co_await peer.async_accept(upgrade, kTuple);
  if (error) co_return;
  const int fd = channel.fd.release();
  (void)::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  Descriptor descriptor(peer.get_executor(), fd);
  co_await (to_peer(descriptor, peer, channel) || from_peer(peer, descriptor, channel));
}

}  // namespace umlfarm::api
