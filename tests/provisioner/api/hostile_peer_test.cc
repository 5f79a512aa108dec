// Whatever a peer sends or leaves out, the server goes on and others are answered.
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>

#include <boost/json.hpp>
#include <future>
#include <stdexcept>

#include "tests/provisioner/api/raw_peer.h"
#include "tests/provisioner/api/serving.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::api {
namespace {

using testing::is_ok;

class HostilePeer : public Serving {
 protected:
  // What the service was asked beside expect_still_serves().
  std::size_t asked() const {
    std::size_t count = 0;
    for (const Request& request : service_.asked()) {
      if (request.path != std::vector<std::string>{"status"}) ++count;
    }
    return count;
  }
};

TEST_F(HostilePeer, ThatSpeaksNoHttpIsToldSoAndLeft) {
  const std::string rows[] = {
      "hello\r\n\r\n",
      "GET\r\n\r\n",
      "GET /v1/x\r\n\r\n",
      "GET /v1/x HTTP/9.9\r\n\r\n",
      "GET /v1/x HTTP/1.1\r\nno colon\r\n\r\n",
      "GET /v1/x\nHTTP/1.1\r\n\r\n",
      "POST /v1/x HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
      "POST /v1/x HTTP/1.1\r\nContent-Length: x\r\n\r\n",
      "POST /v1/x HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
      "POST /v1/x HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
      "POST /v1/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n",
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
      std::string(64, '\0') + "\r\n\r\n",
  };
  for (const std::string& bytes : rows) {
    RawPeer peer(socket());
    peer.send(bytes);
    peer.end_sending();
    EXPECT_EQ(status_of(peer.rest()), "400") << bytes;
    expect_still_serves();
  }
  EXPECT_EQ(asked(), 0U);
}

TEST_F(HostilePeer, WithTooLongAHeadIsToldSoAndLeft) {
  const std::string rows[] = {
      std::string(1U << 20U, 'a'),
      "GET /v1/" + std::string(1U << 20U, 'a') + " HTTP/1.1\r\n\r\n",
      "GET /v1/x HTTP/1.1\r\nField: " + std::string(1U << 20U, 'a') + "\r\n\r\n",
  };
  for (const std::string& bytes : rows) {
    RawPeer peer(socket());
    // The server may close before it has all of it.
    (void)peer.send(bytes);
    EXPECT_EQ(status_of(peer.rest()), "400");
    expect_still_serves();
  }
  RawPeer peer(socket());
  peer.send("GET /v1/x HTTP/1.1\r\n");
  bool open = true;
  for (int line = 0; open && line < 100'000; ++line) open = peer.send("F" + std::to_string(line) + ": v\r\n");
  EXPECT_FALSE(open);
  expect_still_serves();
  EXPECT_EQ(asked(), 0U);
}

TEST_F(HostilePeer, WithTooLongABodyIsToldSoAndLeft) {
  const std::string body((1U << 20U) + 1, 'b');
  const std::string rows[] = {
      "POST /v1/x HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body,
      "POST /v1/x HTTP/1.1\r\nContent-Length: 9000000000000000000\r\n\r\nb",
      "POST /v1/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n" + body + "\r\n0\r\n\r\n",
      "POST /v1/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n" + body,
  };
  for (const std::string& bytes : rows) {
    RawPeer peer(socket());
    (void)peer.send(bytes);
    EXPECT_EQ(status_of(peer.rest()), "400");
    expect_still_serves();
  }
  EXPECT_FALSE(client().post("/v1/x", boost::json::string(body)));
  EXPECT_EQ(asked(), 0U);
}

TEST_F(HostilePeer, ThatHangsUpInTheMiddleAsksNothing) {
  for (const char* bytes : {"", "G", "GET /v1/x HTTP/1.1\r\n", "GET /v1/x HTTP/1.1\r\nHost: h\r\n\r",
                            "POST /v1/x HTTP/1.1\r\nContent-Length: 100\r\n\r\nten bytes."}) {
    RawPeer peer(socket());
    peer.send(bytes);
    peer.hang_up();
    RawPeer quiet(socket());
    quiet.send(bytes);
    quiet.end_sending();
    EXPECT_EQ(quiet.rest(), "") << bytes;
    expect_still_serves();
  }
  EXPECT_EQ(asked(), 0U);
}

TEST_F(HostilePeer, ThatHangsUpBeforeItsAnswerHarmsNobody) {
  std::promise<void> begun;
  std::promise<void> gone;
  const std::shared_future<void> left = gone.get_future().share();
  service_.answer = [&begun, left](const Request& request) {
    if (request.path[0] == "left") {
      begun.set_value();
      left.wait();
    }
    return json_response(200, {{"text", std::string(4U << 20U, 'x')}});
  };
  RawPeer peer(socket());
  peer.send("GET /v1/left HTTP/1.1\r\n\r\n");
  begun.get_future().wait();
  peer.hang_up();
  gone.set_value();
  expect_still_serves();
}

TEST_F(HostilePeer, ThatReadsNoAnswerStopsNobody) {
  service_.answer = [](const Request& request) {
    return json_response(200, {{"text", std::string(request.path[0] == "long" ? 2U << 20U : 1U, 'x')}});
  };
  std::vector<RawPeer> peers;
  for (int i = 0; i < 8; ++i) {
    peers.emplace_back(socket());
    peers.back().send("GET /v1/long HTTP/1.1\r\n\r\n");
  }
  expect_still_serves();
  EXPECT_EQ(status_of(peers.front().answer()), "200");
}

TEST_F(HostilePeer, ThatIsSlowStopsNobodyAndIsAnsweredInTheEnd) {
  std::vector<RawPeer> peers;
  for (int i = 0; i < 100; ++i) {
    peers.emplace_back(socket());
    peers.back().send(i % 2 == 0 ? "GET /v1/x HT" : "POST /v1/x HTTP/1.1\r\nContent-Length: 2\r\n\r\na");
  }
  expect_still_serves();
  EXPECT_EQ(asked(), 0U);
  for (const char c : std::string("TP/1.1\r\n\r\n")) peers[0].send(std::string(1, c));
  EXPECT_EQ(status_of(peers[0].answer()), "200");
  peers[1].send("b");
  EXPECT_EQ(status_of(peers[1].answer()), "200");
  EXPECT_EQ(service_.asked().back().body, "ab");
}

TEST_F(HostilePeer, ThatTakesAllDescriptorsIsOutlived) {
  RawPeer peer;
  const int next = ::fcntl(0, F_DUPFD_CLOEXEC, 0);
  ASSERT_GE(next, 0);
  ::close(next);
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{3, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  peer.connect(socket());
  peer.send("GET /v1/x HTTP/1.1\r\n\r\n");
  // Nothing can come before there is a descriptor for it.
  pollfd watched{peer.fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&watched, 1, 300), 0);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(status_of(peer.answer()), "200");
  expect_still_serves();
}

TEST_F(HostilePeer, WhoseRequestMakesTheServiceThrowHarmsNobody) {
  service_.answer = [](const Request& request) {
    if (request.path[0] == "throw") throw std::runtime_error("a fault of the service");
    return json_response(200, {{"good", true}});
  };
  service_.open = [](const Request&) -> Result<Channel> { throw std::runtime_error("a fault"); };
  EXPECT_FALSE(client().get("/v1/throw"));
  EXPECT_FALSE(client().open_channel("/v1/throw"));
  EXPECT_THAT(client().get("/v1/x"), is_ok());
}

}  // namespace
}  // namespace umlfarm::api
