#include "provisioner/api/client_channel.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <future>

#include "provisioner/api/connection.h"

namespace umlfarm::api {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using WebSocket = websocket::stream<Connection>;

// All of the socket's work is done by the thread in run(); senders hand over and wait for their turn.
class Channel final : public ClientChannel {
 public:
  Channel(std::unique_ptr<asio::io_context> loop, std::unique_ptr<WebSocket> peer)
      : loop_(std::move(loop)), peer_(std::move(peer)) {}

  Status run(const std::function<void(std::string_view)>& output) override {
    output_ = output;
    read();
    loop_->run();
    return {};
  }

  bool send(std::string_view data) override { return hand_over(data, true); }
  bool send_text(std::string_view text) override { return hand_over(text, false); }
  void leave() override {
    asio::post(*loop_, [this] { loop_->stop(); });
  }

 private:
  void read() {
    peer_->async_read(buffer_, [this](const boost::system::error_code& error, std::size_t) {
      if (error) return loop_->stop();
      const auto data = buffer_.data();
      output_({static_cast<const char*>(data.data()), data.size()});
      buffer_.consume(buffer_.size());
      read();
    });
  }

  bool hand_over(std::string_view data, bool binary) {
    const std::lock_guard one_at_a_time(sending_);
    std::promise<bool> sent;
    std::future<bool> answer = sent.get_future();
    asio::post(*loop_, [this, data, binary, &sent] {
      peer_->binary(binary);
      peer_->async_write(
          asio::buffer(data.data(), data.size()),
          [&sent](const boost::system::error_code& error, std::size_t) { sent.set_value(!error); });
    });
    // Once the loop has stopped nobody answers any more.
    while (answer.wait_for(std::chrono::milliseconds(100)) != std::future_status::ready) {
      if (loop_->stopped()) return false;
    }
    return answer.get();
  }

  std::unique_ptr<asio::io_context> loop_;
  std::unique_ptr<WebSocket> peer_;
  beast::flat_buffer buffer_;
  std::function<void(std::string_view)> output_;
  std::mutex sending_;
};

}  // namespace

Result<std::unique_ptr<ClientChannel>> open_client_channel(const std::string& socket,
                                                           const std::string& target) {
  auto loop = std::make_unique<asio::io_context>();
  UMLFARM_ASSIGN(Connection connection, connect(*loop, socket));
  auto peer = std::make_unique<WebSocket>(std::move(connection));
  peer->read_message_max(std::size_t{1} << 20U);
  websocket::response_type response;
  boost::system::error_code error;
  peer->handshake(response, "umlfarm", target, error);
  if (error == websocket::error::upgrade_declined) return error_in(response.body(), response.result_int());
  if (error) return unreachable(socket, error);
  return std::unique_ptr<ClientChannel>(std::make_unique<Channel>(std::move(loop), std::move(peer)));
}

}  // namespace umlfarm::api
