#include "provisioner/api/server.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/json.hpp>
#include <boost/url.hpp>

#include "provisioner/api/accept.h"
#include "provisioner/api/relay.h"
#include "provisioner/base/posix.h"
#include "provisioner/base/printable.h"

namespace umlfarm::api {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace json = boost::json;

Response json_response(unsigned status, const json::value& value) {
  return {status, "application/json", json::serialize(value) + "\n", {}};
}

Response error_response(const Error& error) {
  return json_response(static_cast<unsigned>(http_status(error.kind())),
                       {{"error", {{"kind", kind_name(error.kind())}, {"message", error.message()}}}});
}

namespace {

using Local = asio::local::stream_protocol;
using Message = http::request<http::string_body>;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::uint64_t kMostBody = std::uint64_t{1} << 20U;
// People who may not use the farm are told so, and get no more of the daemon than that.
constexpr unsigned kMostStrangers = 32;
constexpr std::uint64_t kMostBodyOfAStranger = std::uint64_t{16} << 10U;
constexpr auto kPatienceWithAStranger = std::chrono::seconds(5);

// All names and values of addresses are; what is not could not be repeated in an answer's JSON.
bool is_text(std::string_view text) { return std::all_of(text.begin(), text.end(), is_printable); }

Result<Request> translate(const Message& message, uid_t peer) {
  const auto target = boost::urls::parse_origin_form({message.target().data(), message.target().size()});
  if (!target) return Error(Kind::Invalid, "malformed address");
  Request request;
  request.method = std::string(message.method_string());
  for (const auto& segment : target->segments()) request.path.push_back(segment);
  for (const auto& parameter : target->params()) request.query[parameter.key] = parameter.value;
  for (const std::string& segment : request.path) {
    if (!is_text(segment)) return Error(Kind::Invalid, "malformed address: its names are ASCII");
  }
  for (const auto& [key, value] : request.query) {
    if (!is_text(key + value)) return Error(Kind::Invalid, "malformed address: its values are ASCII");
  }
  if (request.path.empty() || request.path.front() != "v1") return Error(Kind::NotFound, "there is only /v1");
  request.path.erase(request.path.begin());
  request.body = message.body();
  request.upgrade = beast::websocket::is_upgrade(message);
  request.peer = peer;
  return request;
}

Result<uid_t> peer_of(Local::socket& socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0) {
    return system_error("peer credentials");
  }
  return credentials.uid;
}

// Said by a peer that is still there.
bool is_of_http(const boost::system::error_code& error) {
  return error.category() == http::make_error_code(http::error::bad_method).category() &&
         error != http::error::end_of_stream && error != http::error::partial_message;
}

class UnixServer final : public Server {
 public:
  UnixServer(asio::io_context& loop, Local::acceptor acceptor, std::set<uid_t> admins, Service& service,
             unsigned threads)
      : loop_(loop),
        acceptor_(std::move(acceptor)),
        admins_(std::move(admins)),
        service_(service),
        blocking_(threads) {}
  ~UnixServer() override {
    blocking_.stop();
    blocking_.join();
  }

  asio::awaitable<void> accept() {
    return accept_all(acceptor_, [this](Local::socket socket) { receive(std::move(socket)); });
  }

 private:
  void receive(Local::socket socket) {
    const auto peer = peer_of(socket);
    if (peer && allowed(*peer)) {
      asio::co_spawn(loop_, serve(std::move(socket), *peer), asio::detached);
    } else if (strangers_ < kMostStrangers) {
      asio::co_spawn(loop_, turn_away(std::move(socket), peer.value_or(0)), asio::detached);
    }
  }

  // Goes on among the threads that may block, or back on the loop.
  asio::awaitable<void> may_block() {
    co_await asio::post(asio::bind_executor(blocking_, asio::use_awaitable));
  }
  asio::awaitable<void> may_not_block() {
    co_await asio::post(asio::bind_executor(loop_, asio::use_awaitable));
  }

  asio::awaitable<void> turn_away(Local::socket given, uid_t peer) {
    ++strangers_;
    // The timer's handler may come after all else here has ended.
    const auto shared = std::make_shared<Local::socket>(std::move(given));
    Local::socket& socket = *shared;
    asio::steady_timer patience(loop_, kPatienceWithAStranger);
    patience.async_wait([shared](const boost::system::error_code& cancelled) {
      if (!cancelled) shared->close();
    });
    beast::flat_buffer buffer;
    http::request_parser<http::string_body> parser;
    parser.body_limit(kMostBodyOfAStranger);
    const auto [error, size] = co_await http::async_read(socket, buffer, parser, kTuple);
    if (!error) {
      Message message = parser.release();
      message.keep_alive(false);
      co_await answer(
          socket, message,
          Error(Kind::Denied, "user " + std::to_string(peer) +
                                  " may not use this farm; run as root, or add the user to admins "
                                  "in umlfarm.toml"));
    }
    --strangers_;
  }

  asio::awaitable<void> serve(Local::socket socket, uid_t peer) {
    beast::flat_buffer buffer;
    for (;;) {
      http::request_parser<http::string_body> parser;
      parser.body_limit(kMostBody);
      const auto [error, size] = co_await http::async_read(socket, buffer, parser, kTuple);
      if (error) {
        if (is_of_http(error)) {
          Message nothing;
          nothing.keep_alive(false);
          co_await answer(socket, nothing, Error(Kind::Invalid, "not taken as HTTP: " + error.message()));
        }
        co_return;
      }
      const Message message = parser.release();
      const auto request = translate(message, peer);
      if (request && request->upgrade) {
        co_await upgrade(std::move(socket), message, *request);
        co_return;
      }
      const bool more = co_await answer(socket, message, request);
      if (!more) co_return;
    }
  }

  bool allowed(uid_t peer) const { return peer == 0 || peer == ::geteuid() || admins_.contains(peer); }

  // False when the connection ends with it.
  asio::awaitable<bool> answer(Local::socket& socket, const Message& message,
                               const Result<Request>& request) {
    Response response;
    if (request) {
      co_await may_block();
      response = service_.handle(*request);
      co_await may_not_block();
    } else {
      response = error_response(request.error());
    }
    if (response.more) {
      co_await stream(socket, response);
      co_return false;
    }
    http::response<http::string_body> reply(static_cast<http::status>(response.status), message.version());
    reply.set(http::field::content_type, response.type);
    reply.keep_alive(message.keep_alive());
    reply.body() = std::move(response.body);
    reply.prepare_payload();
    const auto [error, size] = co_await http::async_write(socket, reply, kTuple);
    co_return !error && reply.keep_alive();
  }

  asio::awaitable<void> stream(Local::socket& socket, Response& response) {
    http::response<http::empty_body> head(http::status::ok, 11);
    head.set(http::field::content_type, response.type);
    head.chunked(true);
    http::response_serializer<http::empty_body> serializer(head);
    auto [error, size] = co_await http::async_write_header(socket, serializer, kTuple);
    Result<std::string> text = std::move(response.body);
    while (!error && text) {
      if (!text->empty()) {
        std::tie(error, size) =
            co_await asio::async_write(socket, http::make_chunk(asio::buffer(*text)), kTuple);
      } else if (gone(socket)) {
        co_return;
      } else {
        asio::steady_timer pause(loop_, std::chrono::milliseconds(100));
        co_await pause.async_wait(kTuple);
      }
      if (error) break;
      co_await may_block();
      text = response.more();
      co_await may_not_block();
    }
    if (!error) co_await asio::async_write(socket, http::make_chunk_last(), kTuple);
  }

  // A peer that has left is noticed when there is nothing to write, too.
  static bool gone(Local::socket& socket) {
    pollfd peer{socket.native_handle(), POLLRDHUP, 0};
    return ::poll(&peer, 1, 0) > 0;
  }

  asio::awaitable<void> upgrade(Local::socket socket, const Message& message, const Request& request) {
    co_await may_block();
    Result<Channel> channel = service_.open_channel(request);
    co_await may_not_block();
    if (!channel) {
      const Result<Request> failed = channel.error();
      co_await answer(socket, message, failed);
      co_return;
    }
    co_await relay(std::move(socket), message, *channel);
  }

  asio::io_context& loop_;
  unsigned strangers_ = 0;
  Local::acceptor acceptor_;
  std::set<uid_t> admins_;
  Service& service_;
  asio::thread_pool blocking_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(asio::io_context& loop, const std::string& path,
                                              std::set<uid_t> admins, Service& service, unsigned threads) {
  if (path.size() > 107) {
    return Error(Kind::Invalid,
                 "socket path " + path + ": longer than 107 bytes; choose a shorter root directory");
  }
  UMLFARM_TRY(posix::remove_file(path));
  boost::system::error_code error;
  Local::acceptor acceptor(loop);
  acceptor.open(Local(), error);
  if (!error) acceptor.bind(Local::endpoint(path), error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error || ::chmod(path.c_str(), 0666) < 0) {
    return Error(Kind::Internal, "listen on " + path + ": " + (error ? error.message() : "chmod failed"));
  }
  auto server = std::make_unique<UnixServer>(loop, std::move(acceptor), std::move(admins), service, threads);
  asio::co_spawn(loop, server->accept(), asio::detached);
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace umlfarm::api
