#include "provisioner/api/client.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>

#include "provisioner/api/client_channel.h"
#include "provisioner/api/connection.h"

namespace umlfarm::api {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace json = boost::json;

Error unreachable(const std::string& socket, const boost::system::error_code& why) {
  const std::string where = "no answer on " + socket + " (" + why.message() + ")";
  if (why == boost::system::errc::no_such_file_or_directory ||
      why == boost::system::errc::connection_refused) {
    return {Kind::Unavailable,
            where + "; is umlfarmd running? Start it, or run 'sudo deploy/quickstart' for a whole farm"};
  }
  return {Kind::Unavailable, where};
}

Error error_in(const std::string& body, unsigned status) {
  boost::system::error_code error;
  const json::value document = json::parse(body, error);
  const json::object* const object = error ? nullptr : document.if_object();
  const json::value* const inner = object == nullptr ? nullptr : object->if_contains("error");
  const json::object* const fields = inner == nullptr ? nullptr : inner->if_object();
  const json::value* const kind = fields == nullptr ? nullptr : fields->if_contains("kind");
  const json::value* const message = fields == nullptr ? nullptr : fields->if_contains("message");
  if (kind == nullptr || !kind->is_string() || message == nullptr || !message->is_string()) {
    return {Kind::Internal, "the daemon answered with status " + std::to_string(status)};
  }
  return {kind_from_name(kind->as_string()), json::value_to<std::string>(*message)};
}

namespace {

constexpr std::uint64_t kMostBody = std::uint64_t{256} << 20U;

}  // namespace

Result<json::value> Client::exchange(const char* method, const std::string& target,
                                     const std::string& body) const {
  asio::io_context loop;
  UMLFARM_ASSIGN(Connection connection, connect(loop, socket_));
  http::request<http::string_body> request(http::string_to_verb(method), target, 11);
  request.set(http::field::host, "umlfarm");
  request.set(http::field::content_type, "application/json");
  request.keep_alive(false);
  request.body() = body;
  request.prepare_payload();
  boost::system::error_code error;
  http::write(connection, request, error);
  if (error) return unreachable(socket_, error);
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kMostBody);
  http::read(connection, buffer, parser, error);
  if (error) return unreachable(socket_, error);
  const auto& response = parser.get();
  if (response.result_int() >= 300) return error_in(response.body(), response.result_int());
  // Of a thousand guests it is some ten thousand values, all freed at once.
  json::value document =
      json::parse(response.body(), error, json::make_shared_resource<json::monotonic_resource>());
  if (error) return Error(Kind::Internal, "the daemon's answer is not JSON");
  return document;
}

Result<json::value> Client::get(const std::string& target) const { return exchange("GET", target, ""); }

Result<json::value> Client::post(const std::string& target, const json::value& body) const {
  return exchange("POST", target, json::serialize(body));
}

Result<json::value> Client::remove(const std::string& target) const { return exchange("DELETE", target, ""); }

Status Client::stream(const std::string& target, const std::function<void(std::string_view)>& take) const {
  asio::io_context loop;
  UMLFARM_ASSIGN(Connection connection, connect(loop, socket_));
  http::request<http::empty_body> request(http::verb::get, target, 11);
  request.set(http::field::host, "umlfarm");
  boost::system::error_code error;
  http::write(connection, request, error);
  if (error) return unreachable(socket_, error);
  beast::flat_buffer buffer;
  http::response_parser<http::buffer_body> parser;
  parser.body_limit(boost::none);
  http::read_header(connection, buffer, parser, error);
  if (error) return unreachable(socket_, error);
  const unsigned status = parser.get().result_int();
  std::string refusal;
  std::string piece(65536, '\0');
  while (!parser.is_done()) {
    parser.get().body().data = piece.data();
    parser.get().body().size = piece.size();
    http::read_some(connection, buffer, parser, error);
    if (error && error != http::error::need_buffer) return unreachable(socket_, error);
    const std::string_view text(piece.data(), piece.size() - parser.get().body().size);
    if (status >= 300) {
      refusal += text;
    } else {
      take(text);
    }
  }
  return status >= 300 ? Status(error_in(refusal, status)) : Status();
}

Result<std::unique_ptr<ClientChannel>> Client::open_channel(const std::string& target) const {
  return open_client_channel(socket_, target);
}

}  // namespace umlfarm::api
