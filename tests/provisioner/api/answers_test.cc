// What the client makes of answers, and of a daemon that is none.
#include <sys/socket.h>

#include <boost/json.hpp>
#include <thread>

#include "provisioner/api/client.h"
#include "provisioner/base/posix.h"
#include "tests/provisioner/api/raw_peer.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::api {
namespace {

using testing::is_error;
using testing::is_ok;

// Takes one connection, reads a request's head, answers with the bytes and closes.
class OddDaemon {
 public:
  explicit OddDaemon(std::string bytes) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_un address = address_of(socket());
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(fd_.get(), 1), 0);
    thread_ = std::thread([this, bytes = std::move(bytes)] { serve(bytes); });
  }
  OddDaemon(const OddDaemon&) = delete;
  OddDaemon& operator=(const OddDaemon&) = delete;
  ~OddDaemon() { thread_.join(); }

  std::string socket() const { return directory_ / "s"; }

 private:
  void serve(const std::string& bytes) const {
    const UniqueFd peer(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    std::string request;
    char buffer[4096];
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t size = ::read(peer.get(), buffer, sizeof buffer);
      if (size <= 0) return;
      request.append(buffer, static_cast<std::size_t>(size));
    }
    (void)::send(peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  const testing::TemporaryDirectory directory_;
  UniqueFd fd_;
  std::thread thread_;
};

std::string answer(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status + " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

struct Row {
  std::string bytes;
  Kind kind;
  const char* says;
};

const Row kRows[] = {
    {"", Kind::Unavailable, ""},
    {"hello\r\n\r\n", Kind::Unavailable, ""},
    {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", Kind::Unavailable, ""},
    {answer("500", "<html>sorry</html>"), Kind::Internal, "500"},
    {answer("404", "[]"), Kind::Internal, "404"},
    {answer("404", R"({"error": "gone"})"), Kind::Internal, "404"},
    {answer("404", R"({"error": {"kind": "not_found"}})"), Kind::Internal, "404"},
    {answer("404", R"({"error": {"kind": 3, "message": "gone"}})"), Kind::Internal, "404"},
    {answer("301", ""), Kind::Internal, "301"},
    {answer("404", R"({"error": {"kind": "not_found", "message": "gone", "more": 1}})"), Kind::NotFound,
     "gone"},
    {answer("418", R"({"error": {"kind": "teapot", "message": "short and stout"}})"), Kind::Internal,
     "short and stout"},
};

TEST(Answers, ThatAreErrorsHaveAKind) {
  for (const Row& row : kRows) {
    const OddDaemon daemon(row.bytes);
    EXPECT_THAT(Client(daemon.socket()).get("/v1/x"), is_error(row.kind, row.says)) << row.bytes;
  }
}

TEST(Answers, ThatAreErrorsHaveAKindForAStreamToo) {
  for (const Row& row : kRows) {
    const OddDaemon daemon(row.bytes);
    EXPECT_THAT(Client(daemon.socket()).stream("/v1/x", [](std::string_view) {}),
                is_error(row.kind, row.says))
        << row.bytes;
  }
}

TEST(Answers, ThatAreErrorsHaveAKindForAChannelToo) {
  for (const Row& row : kRows) {
    const OddDaemon daemon(row.bytes);
    EXPECT_THAT(Client(daemon.socket()).open_channel("/v1/x"), is_error(row.kind, row.says)) << row.bytes;
  }
}

TEST(Answers, ThatAreNoJsonAreTheDaemonsFault) {
  for (const char* body : {"", "no json", "{", "{} {}", "\"\xff\""}) {
    const OddDaemon daemon(answer("200", body));
    EXPECT_THAT(Client(daemon.socket()).get("/v1/x"), is_error(Kind::Internal, "JSON")) << body;
  }
}

TEST(Answers, MayBeAnyDocument) {
  for (const char* body : {"null", "[]", "{}", "17", "\"text\""}) {
    const OddDaemon daemon(answer("200", body));
    const auto document = Client(daemon.socket()).get("/v1/x");
    ASSERT_THAT(document, is_ok()) << body;
    EXPECT_EQ(*document, boost::json::parse(body));
  }
}

TEST(Answers, DoNotComeWhereNobodyListens) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "s";
  const Client client(path);
  EXPECT_THAT(client.get("/v1/x"), is_error(Kind::Unavailable, path));
  EXPECT_THAT(client.post("/v1/x", {}), is_error(Kind::Unavailable, "umlfarmd"));
  EXPECT_THAT(client.remove("/v1/x"), is_error(Kind::Unavailable, path));
  EXPECT_THAT(client.stream("/v1/x", [](std::string_view) {}), is_error(Kind::Unavailable, path));
  EXPECT_THAT(client.open_channel("/v1/x"), is_error(Kind::Unavailable, path));
}

}  // namespace
}  // namespace umlfarm::api
