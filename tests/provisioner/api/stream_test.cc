// Answers that go on.
#include <chrono>
#include <future>

#include "tests/provisioner/api/raw_peer.h"
#include "tests/provisioner/api/serving.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::api {
namespace {

using testing::is_error;
using testing::is_ok;

class Streams : public Serving {
 protected:
  // The pieces one after the other, then the end.
  void stream(const std::string& first, std::vector<std::string> pieces) {
    service_.answer = [first, pieces = std::move(pieces)](const Request&) {
      Response response{200, "text/plain", first, {}};
      response.more = [pieces, at = std::size_t{0}]() mutable -> Result<std::string> {
        if (at == pieces.size()) return Error(Kind::NotFound, "no more");
        return pieces[at++];
      };
      return response;
    };
  }

  // An answer of which more is asked until its peer has gone; true then. `more` is what it says each time.
  bool ends_with_its_peer(const std::string& more, const std::function<void(RawPeer&)>& leave) {
    auto released = std::make_shared<std::promise<void>>();
    std::future<void> end = released->get_future();
    service_.answer = [more, held = std::shared_ptr<void>(
                                 nullptr, [released](void*) { released->set_value(); })](const Request&) {
      return Response{200, "text/plain", "first", [more, held]() -> Result<std::string> { return more; }};
    };
    RawPeer peer(socket());
    peer.send("GET /v1/log HTTP/1.1\r\n\r\n");
    EXPECT_EQ(status_of(peer.until("first")), "200");
    service_.answer = [](const Request&) { return json_response(200, {{"good", true}}); };
    leave(peer);
    return end.wait_for(std::chrono::seconds(60)) == std::future_status::ready;
  }
};

TEST_F(Streams, ArriveWholeAndInOrder) {
  stream("first ", {"second ", "third\n", std::string(200'000, 'x'), "\r\n0\r\n\r\n", "last"});
  std::string got;
  EXPECT_THAT(client().stream("/v1/log", [&](std::string_view piece) { got += piece; }), is_ok());
  EXPECT_EQ(got, "first second third\n" + std::string(200'000, 'x') + "\r\n0\r\n\r\nlast");
}

TEST_F(Streams, GoOnAfterAPauseWithoutText) {
  stream("", {"", "one", "", "two"});
  std::string got;
  EXPECT_THAT(client().stream("/v1/log", [&](std::string_view piece) { got += piece; }), is_ok());
  EXPECT_EQ(got, "onetwo");
}

TEST_F(Streams, MayBeEmpty) {
  stream("", {});
  EXPECT_THAT(client().stream("/v1/log", [](std::string_view piece) { EXPECT_EQ(piece, ""); }), is_ok());
}

TEST_F(Streams, ShowWhatThereIsWhileTheRestIsAwaited) {
  std::promise<void> go_on;
  const std::shared_future<void> rest = go_on.get_future().share();
  service_.answer = [rest](const Request&) {
    return Response{200, "text/plain", "first", [rest]() -> Result<std::string> {
                      rest.wait();
                      return Error(Kind::NotFound, "no more");
                    }};
  };
  RawPeer peer(socket());
  peer.send("GET /v1/log HTTP/1.1\r\n\r\n");
  EXPECT_EQ(status_of(peer.until("first")), "200");
  go_on.set_value();
  EXPECT_TRUE(peer.rest().ends_with("\r\n0\r\n\r\n"));
}

TEST_F(Streams, CarryALongText) {
  const std::string piece(1U << 20U, 'x');
  stream("", std::vector<std::string>(8, piece));
  std::size_t got = 0;
  EXPECT_THAT(client().stream("/v1/log", [&](std::string_view text) { got += text.size(); }), is_ok());
  EXPECT_EQ(got, 8 * piece.size());
}

TEST_F(Streams, TakeAFiniteAnswerToo) {
  service_.answer = [](const Request&) { return Response{200, "text/plain", "all of it", {}}; };
  std::string got;
  EXPECT_THAT(client().stream("/v1/log", [&](std::string_view piece) { got += piece; }), is_ok());
  EXPECT_EQ(got, "all of it");
}

TEST_F(Streams, GiveErrorsBackAsTheyWereAndNoText) {
  const std::string message = "no guest 'bob' " + std::string(100'000, '!');
  service_.answer = [&](const Request&) { return error_response(Error(Kind::NotFound, message)); };
  const auto nothing = [](std::string_view piece) { ADD_FAILURE() << piece; };
  EXPECT_THAT(client().stream("/v1/log", nothing), is_error(Kind::NotFound, message));
  EXPECT_THAT(client().stream("/v2", nothing), is_error(Kind::NotFound, "/v1"));
}

TEST_F(Streams, EndWhenAPeerThatIsToldNothingLeaves) {
  EXPECT_TRUE(ends_with_its_peer("", [](RawPeer& peer) { peer.hang_up(); }));
  expect_still_serves();
}

TEST_F(Streams, EndWhenAPeerLeavesWhoseLastWordsNobodyRead) {
  EXPECT_TRUE(ends_with_its_peer("", [](RawPeer& peer) {
    EXPECT_TRUE(peer.send("GET /v1/more HTTP/1.1\r\n"));
    peer.hang_up();
  }));
  expect_still_serves();
}

TEST_F(Streams, EndWhenAPeerLeavesInTheMiddleOfText) {
  EXPECT_TRUE(ends_with_its_peer(std::string(100'000, 'x'), [](RawPeer& peer) {
    peer.until("xxx");
    peer.hang_up();
  }));
  expect_still_serves();
}

TEST_F(Streams, OfManyPeersGoOnSideBySide) {
  // More than the threads that may block.
  service_.answer = [](const Request& request) {
    if (request.path[0] != "log") return json_response(200, {{"good", true}});
    return Response{200, "text/plain", "first", []() -> Result<std::string> { return std::string(); }};
  };
  std::vector<RawPeer> peers;
  for (int i = 0; i < 50; ++i) {
    peers.emplace_back(socket());
    peers.back().send("GET /v1/log HTTP/1.1\r\n\r\n");
  }
  for (RawPeer& peer : peers) EXPECT_EQ(status_of(peer.until("first")), "200");
  expect_still_serves();
}

}  // namespace
}  // namespace umlfarm::api
