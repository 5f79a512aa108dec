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

std::string targets_of(const config::Metrics& settings, const std::string& farm) {
  const boost::json::array targets{
      {{"targets", {settings.listen.str()}}, {"labels", {{"job", "umlfarm"}, {"farm", farm}}}}};
  return boost::json::serialize(targets) + "\n";
}

}  // namespace

api::Pages metrics_pages(const Collector& collector) {
  return [&collector](const std::string& path) -> api::Page {
    if (path == "/healthz") return {200, kPlain, body("ok"), true};
    if (path == "/readyz") {
      const std::string trouble = collector.trouble();
      return {trouble.empty() ? 200U : 503U, kPlain, body(trouble.empty() ? "ok" : trouble), true};
    }
    if (path != "/metrics") return {404, kPlain, body("there are /metrics, /healthz and /readyz"), true};
    if (auto text = collector.text()) return {200, metrics::kContentType, std::move(text), false};
    return {503, kPlain, body(collector.trouble()), false};
  };
}

Result<std::unique_ptr<api::PageServer>> offer_metrics(boost::asio::io_context& loop, Farm& farm,
                                                       const Collector& collector) {
  const config::Metrics& settings = farm.config().metrics;
  UMLFARM_TRY(posix::remove_file(farm.paths().targets()));
  if (settings.listen.address.empty()) return std::unique_ptr<api::PageServer>();
  UMLFARM_ASSIGN(const std::string token, read_token(settings.token_file));
  auto server = api::PageServer::start(
      loop, {settings.listen.address, settings.listen.port, settings.certificate, settings.key, token},
      metrics_pages(collector));
  if (!server && server.error().kind() == Kind::Conflict) {
    farm.add_notice("metrics are not served: " + server.error().message() +
                    "; choose another address or port by listen in [metrics]");
    return std::unique_ptr<api::PageServer>();
  }
  if (server)
    UMLFARM_TRY(write_file_atomically(farm.paths().targets(), targets_of(settings, farm.id()), 0644));
  return server;
}

}  // namespace umlfarm::daemon
