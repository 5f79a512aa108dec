#include "provisioner/api/page_server.h"

#include <openssl/crypto.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <chrono>
#include <optional>

#include "provisioner/api/accept.h"

namespace umlfarm::api {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace ssl = asio::ssl;

namespace {

using Tcp = asio::ip::tcp;
using Query = http::request<http::string_body>;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
// Each holds a page, and no page is worth more.
constexpr unsigned kMostPeers = 64;
// Nobody has anything to tell a page.
constexpr std::uint64_t kMostBody = std::uint64_t{4} << 10U;
// To send the next request, and to take an answer.
constexpr auto kPatience = std::chrono::seconds(30);
// To say anything at all, or shake hands: who has a place and says nothing keeps it from others.
constexpr auto kPatienceAtFirst = std::chrono::seconds(5);

// In a time that tells nothing of where they differ.
bool same(const std::string& a, const std::string& b) {
  return a.size() == b.size() && ::CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

class TcpPageServer final : public PageServer {
 public:
  TcpPageServer(asio::io_context& loop, Tcp::acceptor acceptor, std::optional<ssl::context> tls,
                const std::string& token, Pages pages)
      : loop_(loop),
        acceptor_(std::move(acceptor)),
        tls_(std::move(tls)),
        wanted_("Bearer " + token),
        is_open_(token.empty()),
        pages_(std::move(pages)) {}

  asio::awaitable<void> accept() {
    return accept_all(acceptor_, [this](Tcp::socket socket) {
      if (peers_ < kMostPeers)
        asio::co_spawn(loop_, greet(beast::tcp_stream(std::move(socket))), asio::detached);
    });
  }

 private:
  asio::awaitable<void> greet(beast::tcp_stream stream) {
    ++peers_;
    if (tls_) {
      beast::ssl_stream<beast::tcp_stream> secure(std::move(stream), *tls_);
      beast::get_lowest_layer(secure).expires_after(kPatienceAtFirst);
      const auto [error] = co_await secure.async_handshake(ssl::stream_base::server, kTuple);
      if (!error) {
        co_await serve(secure);
        beast::get_lowest_layer(secure).expires_after(kPatience);
        co_await secure.async_shutdown(kTuple);
      }
    } else {
      co_await serve(stream);
    }
    --peers_;
  }

  template <typename Stream>
  asio::awaitable<void> serve(Stream& stream) {
    beast::flat_buffer buffer;
    beast::get_lowest_layer(stream).expires_after(kPatienceAtFirst);
    for (bool more = true; more;) {
      http::request_parser<http::string_body> parser;
      parser.body_limit(kMostBody);
      const auto [failed, read] = co_await http::async_read(stream, buffer, parser, kTuple);
      if (failed) co_return;
      const Query query = parser.release();
      const Page page = answer(query);
      http::response<http::span_body<const char>> reply(static_cast<http::status>(page.status),
                                                        query.version());
      reply.set(http::field::content_type, page.type);
      // Who has nothing to name has no place for long.
      reply.keep_alive(query.keep_alive() && !page.open);
      reply.body() = {page.body->data(), page.body->size()};
      reply.prepare_payload();
      if (page.status == 401) reply.set(http::field::www_authenticate, "Bearer");
      // Of what only is to be looked at, its length is said.
      if (query.method() == http::verb::head) reply.body() = {};
      beast::get_lowest_layer(stream).expires_after(kPatience);
      const auto [error, written] = co_await http::async_write(stream, reply, kTuple);
      more = !error && reply.keep_alive();
      beast::get_lowest_layer(stream).expires_after(kPatience);
    }
  }

  Page answer(const Query& query) const {
    const auto plain = [](unsigned status, const char* text) {
      return Page{status, "text/plain; charset=utf-8", std::make_shared<const std::string>(text), true};
    };
    if (query.method() != http::verb::get && query.method() != http::verb::head)
      return plain(405, "only GET and HEAD are answered here\n");
    const std::string target(query.target());
    Page page = pages_(target.substr(0, target.find('?')));
    const bool known = is_open_ || same(std::string(query[http::field::authorization]), wanted_);
    return page.open || known ? page : plain(401, "the token must be named: Authorization: Bearer TOKEN\n");
  }

  asio::io_context& loop_;
  Tcp::acceptor acceptor_;
  std::optional<ssl::context> tls_;
  std::string wanted_;
  bool is_open_;
  Pages pages_;
  unsigned peers_ = 0;
};

Result<ssl::context> make_tls(const PageServer::Settings& settings) {
  ssl::context tls(ssl::context::tls_server);
  boost::system::error_code error;
  tls.set_options(ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1, error);
  tls.use_certificate_chain_file(settings.certificate, error);
  if (error) return Error(Kind::Invalid, "certificate " + settings.certificate + ": " + error.message());
  tls.use_private_key_file(settings.key, ssl::context::pem, error);
  if (error) return Error(Kind::Invalid, "key " + settings.key + ": " + error.message());
  return tls;
}

}  // namespace

Result<std::unique_ptr<PageServer>> PageServer::start(asio::io_context& loop, const Settings& settings,
                                                      Pages pages) {
  const std::string where = settings.address + " port " + std::to_string(settings.port);
  boost::system::error_code error;
  const auto address = asio::ip::make_address(settings.address, error);
  if (error) return Error(Kind::Invalid, "address '" + settings.address + "': not an IPv4 or IPv6 address");
  std::optional<ssl::context> tls;
  if (settings.certificate.empty() != settings.key.empty())
    return Error(Kind::Invalid, "TLS takes a certificate and its key; name both, or neither");
  if (!settings.certificate.empty()) {
    UMLFARM_ASSIGN(tls, make_tls(settings));
  }
  const Tcp::endpoint endpoint(address, settings.port);
  Tcp::acceptor acceptor(loop);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return Error(Kind::Conflict, "listen on " + where + ": " + error.message());
  auto server = std::make_unique<TcpPageServer>(loop, std::move(acceptor), std::move(tls), settings.token,
                                                std::move(pages));
  asio::co_spawn(loop, server->accept(), asio::detached);
  return std::unique_ptr<PageServer>(std::move(server));
}

}  // namespace umlfarm::api
