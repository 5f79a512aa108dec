#include "provisioner/api/page_server.h"

#include <gmock/gmock.h>
#include <signal.h>

#include <fstream>
#include <thread>

#include "tests/support/certificate.h"
#include "tests/support/free_port.h"
#include "tests/support/result_matchers.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::api {
namespace {

using ::testing::HasSubstr;
using umlfarm::testing::free_port;
using umlfarm::testing::is_error;
using umlfarm::testing::Ran;
using umlfarm::testing::run_program;

class PageServerTest : public ::testing::Test {
 protected:
  ~PageServerTest() override {
    loop_.stop();
    if (thread_.joinable()) thread_.join();
    server_.reset();
  }

  void serve(PageServer::Settings settings) {
    (void)::signal(SIGPIPE, SIG_IGN);
    settings.address = "127.0.0.1";
    settings.port = port_;
    auto started = PageServer::start(loop_, settings, [this](const std::string& path) -> Page {
      if (path == "/large") return {200, "text/x", large_, false};
      if (path == "/small") return {200, "text/x", std::make_shared<const std::string>("x"), false};
      if (path == "/open") return {200, "text/x", std::make_shared<const std::string>("for all"), true};
      return {404, "text/x", std::make_shared<const std::string>("none"), true};
    });
    ASSERT_TRUE(started) << started.error().message();
    server_ = *std::move(started);
    thread_ = std::thread([this] { loop_.run(); });
  }
  // Status and body.
  Ran ask(const std::string& path, std::vector<std::string> more = {},
          const std::string& scheme = "http") const {
    std::vector<std::string> command{"curl",      "--silent",    "--show-error",
                                     "--noproxy", "*",           "--max-time",
                                     "20",        "--write-out", "\n%{http_code} %{content_type}"};
    command.insert(command.end(), more.begin(), more.end());
    command.push_back(scheme + "://127.0.0.1:" + std::to_string(port_) + path);
    return run_program(command);
  }
  // One that says who it is.
  PageServer::Settings certified() const {
    const testing::Certificate made = testing::make_certificate(directory_);
    PageServer::Settings settings;
    settings.certificate = made.certificate;
    settings.key = made.key;
    return settings;
  }

  const testing::TemporaryDirectory directory_;
  const std::uint16_t port_ = free_port();
  std::shared_ptr<const std::string> large_ =
      std::make_shared<const std::string>(std::size_t{12} << 20U, 'x');
  boost::asio::io_context loop_;
  std::unique_ptr<PageServer> server_;
  std::thread thread_;
};

TEST_F(PageServerTest, AnswersByPathAndKeepsTheConnection) {
  serve({});
  EXPECT_EQ(ask("/open").out, "for all\n200 text/x");
  EXPECT_EQ(ask("/open?a=b").out, "for all\n200 text/x");
  EXPECT_EQ(ask("/other").out, "none\n404 text/x");
  EXPECT_THAT(ask("/open", {"--data", "x"}).out, HasSubstr("405"));
  EXPECT_EQ(ask("/open", {"--head"}).out.substr(0, 12), "HTTP/1.1 200");
  const std::string url = "http://127.0.0.1:" + std::to_string(port_) + "/small";
  EXPECT_EQ(ask("/small", {"--write-out", "%{num_connects};", url}).out, "x1;x0;");
}

TEST_F(PageServerTest, SendsAPageOfAnySizeAsItIs) {
  serve({});
  EXPECT_EQ(ask("/large").out, *large_ + "\n200 text/x");
}

TEST_F(PageServerTest, WantsItsTokenWhereThePageDoes) {
  PageServer::Settings settings;
  settings.token = "0123456789abcdef";
  serve(settings);
  EXPECT_EQ(ask("/open").out, "for all\n200 text/x");
  for (const char* const wrong : {"Authorization: Bearer 0123456789abcdee", "Authorization: Bearer ",
                                  "Authorization: 0123456789abcdef", "X: y"}) {
    EXPECT_THAT(ask("/large", {"--header", wrong}).out, HasSubstr("401")) << wrong;
  }
  EXPECT_THAT(ask("/large", {"--header", "Authorization: Bearer 0123456789abcdef"}).out, HasSubstr("200"));
}

TEST_F(PageServerTest, SpeaksTlsWithItsCertificateAndNothingElse) {
  const PageServer::Settings settings = certified();
  serve(settings);
  EXPECT_EQ(ask("/open", {"--cacert", settings.certificate}, "https").out, "for all\n200 text/x");
  EXPECT_EQ(ask("/large", {"--cacert", settings.certificate}, "https").out, *large_ + "\n200 text/x");
  EXPECT_NE(ask("/open", {}, "https").code, 0) << "one that curl has no reason to trust";
  EXPECT_NE(ask("/open").code, 0) << "without TLS";
  EXPECT_NE(ask("/open", {"--cacert", settings.certificate, "--tls-max", "1.1"}, "https").code, 0);
  EXPECT_EQ(ask("/open", {"--cacert", settings.certificate}, "https").out, "for all\n200 text/x");
}

TEST_F(PageServerTest, GoesOnWhateverPeersDo) {
  serve({});
  const std::string where = "/dev/tcp/127.0.0.1/" + std::to_string(port_);
  for (const char* const said : {"", "GET", "GET / HTTP/9.9\\r\\n\\r\\n", "\\x16\\x03\\x01",
                                 "GET /large HTTP/1.1\\r\\nContent-Length: 99\\r\\n\\r\\n"}) {
    run_program({"bash", "-c", "exec 3<>" + where + "; printf '" + std::string(said) + "' >&3; exec 3>&-"});
  }
  // Who asks for much and takes none of it.
  run_program({"bash", "-c",
               "for i in 1 2 3 4 5; do exec 3<>" + where +
                   "; printf 'GET /large HTTP/1.1\\r\\n\\r\\n' >&3; done; sleep 0.2"});
  EXPECT_EQ(ask("/open").out, "for all\n200 text/x");
}

// One that has asked may come back; one that never says anything only takes a place.
TEST_F(PageServerTest, WaitsLongerForWhoHasAsked) {
  serve({});
  const std::string where = "/dev/tcp/127.0.0.1/" + std::to_string(port_);
  const Ran ran = run_program({"bash", "-c", R"(
    ask() {
      printf 'HEAD /large HTTP/1.1\r\n\r\n' >&3
      read -r line <&3 && echo "$line"
      while read -r line <&3 && [ "$line" != $'\r' ]; do :; done
    }
    exec 3<>)" + where + R"(; ask
    exec 4<>)" + where + R"(; cat <&4; echo ended
    ask)"});
  EXPECT_EQ(ran.out, "HTTP/1.1 200 OK\r\nended\nHTTP/1.1 200 OK\r\n");
}

TEST_F(PageServerTest, SaysWhyItCanNotServe) {
  serve({});
  boost::asio::io_context loop;
  const auto start = [&](PageServer::Settings settings) {
    settings.port = settings.port == 0 ? free_port() : settings.port;
    if (settings.address.empty()) settings.address = "127.0.0.1";
    return PageServer::start(loop, settings, [](const std::string&) { return Page{}; });
  };
  EXPECT_THAT(start({"", port_, "", "", ""}), is_error(Kind::Conflict, std::to_string(port_)));
  EXPECT_THAT(start({"farm", 0, "", "", ""}), is_error(Kind::Invalid, "'farm'"));
  PageServer::Settings settings = certified();
  EXPECT_THAT(start({"", 0, settings.certificate, "", ""}), is_error(Kind::Invalid, "and its key"));
  EXPECT_THAT(start({"", 0, "/none", settings.key, ""}), is_error(Kind::Invalid, "certificate /none"));
  std::ofstream(directory_ / "other") << "x";
  EXPECT_THAT(start({"", 0, settings.certificate, directory_ / "other", ""}),
              is_error(Kind::Invalid, "key "));
}

}  // namespace
}  // namespace umlfarm::api
