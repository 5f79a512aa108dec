#include "provisioner/daemon/metrics_pages.h"

#include <boost/json.hpp>

#include "metrics/exporter.h"
#include "provisioner/base/atomic_file.h"
#include "provisioner/base/posix.h"

namespace umlfarm::daemon {
namespace {

constexpr const char* kPlain = "text/plain; charset=utf-8";
constexpr std::size_t kLeastToken = 16;

std::shared_ptr<const std::string> body(const std::string& text) {
  return std::make_shared<const std::string>(text + "\n");
}

Result<std::string> read_token(const std::string& file) {
  if (file.empty()) return std::string();
  UMLFARM_ASSIGN(std::string token, posix::read_file(file));
  while (!token.empty() && token.back() == '\n') token.pop_back();
  if (token.size() >= kLeastToken && token.find_first_of(" \t\r\n") == std::string::npos) return token;
  return Error(Kind::Invalid, "token_file " + file + ": must hold one word of " +
                                  std::to_string(kLeastToken) +
                                  " characters or more; make one with 'openssl rand -hex 32'");
}

// This host is asked where all of its addresses are meant.
config::Listen to_be_asked(config::Listen listen) {
  if (listen.address == "0.0.0.0") listen.address = "127.0.0.1";
  if (listen.address == "::") listen.address = "::1";
  return listen;
}

std::string targets_of(const config::Metrics& settings, const std::string& farm) {
  const char* const scheme = settings.certificate.empty() ? "http" : "https";
  const boost::json::array targets{
      {{"targets", {to_be_asked(settings.listen).str()}},
       {"labels", {{"job", "umlfarm"}, {"farm", farm}, {"__scheme__", scheme}}}}};
  return boost::json::serialize(targets) + "\n";
}

Result<std::unique_ptr<api::PageServer>> serve_metrics(boost::asio::io_context& loop,
                                                       const config::Metrics& settings,
                                                       const Collector& collector) {
  UMLFARM_ASSIGN(const std::string token, read_token(settings.token_file));
  return api::PageServer::start(
      loop, {settings.listen.address, settings.listen.port, settings.certificate, settings.key, token},
      metrics_pages(collector));
}

}  // namespace

api::Pages metrics_pages(const Collector& collector) {
  return [&collector](const std::string& path) -> api::Page {
    if (path == "/healthz") return {200, kPlain, body("ok"), true};
    if (path == "/readyz") {
      const std::string trouble = collector.trouble();
      // Whoever asks need not know more.
      return {trouble.empty() ? 200U : 503U, kPlain,
              body(trouble.empty() ? "ok" : "not ready; the log says why"), true};
    }
    if (path != "/metrics") return {404, kPlain, body("there are /metrics, /healthz and /readyz"), true};
    if (auto text = collector.text()) return {200, metrics::kContentType, std::move(text), false};
    return {503, kPlain, body(collector.trouble()), false};
  };
}

std::unique_ptr<api::PageServer> offer_metrics(boost::asio::io_context& loop, Farm& farm,
                                               const Collector& collector) {
  const config::Metrics& settings = farm.config().metrics;
  const std::string targets = farm.paths().targets();
  // Also where it comes to nothing: a target that does not answer is noticed, one that is not there is not.
  // But whoever only reads the file could not name the token.
  const bool told = !settings.listen.address.empty() && settings.token_file.empty();
  const Status written = told ? write_file_atomically(targets, targets_of(settings, farm.id()), 0644)
                              : posix::remove_file(targets);
  if (!written) farm.add_notice("Prometheus is not told of this farm: " + written.error().message());
  if (settings.listen.address.empty()) return nullptr;
  auto server = serve_metrics(loop, settings, collector);
  if (server) return *std::move(server);
  farm.add_notice("metrics are not served: " + server.error().message() +
                  "; mend [metrics] in umlfarm.toml, and start the daemon again");
  return nullptr;
}

}  // namespace umlfarm::daemon
