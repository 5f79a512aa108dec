#include <unistd.h>

#include <boost/json.hpp>
#include <future>

#include "tests/provisioner/api/raw_peer.h"
#include "tests/provisioner/api/serving.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::api {
namespace {

namespace json = boost::json;
using testing::is_error;
using testing::is_ok;
using Path = std::vector<std::string>;
using Query = std::map<std::string, std::string>;

class Requests : public Serving {};

TEST_F(Requests, ReachTheServiceDecoded) {
  const struct {
    const char* target;
    Path path;
    Query query;
  } rows[] = {
      {"/v1/guests/alice", {"guests", "alice"}, {}},
      {"/v1/guests/a%2Fb%20c", {"guests", "a/b c"}, {}},
      {"/v1/guests/..%2f..%2fetc", {"guests", "../../etc"}, {}},
      {"/v1/events?since=4&follow=1", {"events"}, {{"since", "4"}, {"follow", "1"}}},
      {"/v1/events?guest=&name=%26%3D", {"events"}, {{"guest", ""}, {"name", "&="}}},
      {"/v1", {}, {}},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(client().get(row.target), is_ok()) << row.target;
    const Request request = service_.asked().back();
    EXPECT_EQ(request.method, "GET");
    EXPECT_EQ(request.path, row.path) << row.target;
    EXPECT_EQ(request.query, row.query) << row.target;
    EXPECT_EQ(request.body, "");
    EXPECT_FALSE(request.upgrade);
    EXPECT_EQ(request.peer, ::getuid());
  }
}

TEST_F(Requests, AreRefusedWhereTheirNamesAreNotText) {
  for (const char* target : {"/v1/guests/%ff", "/v1/guests/%c3%bc", "/v1/guests/a%0ab", "/v1/guests/a%00",
                             "/v1/events?guest=%ff", "/v1/events?%7f=1"}) {
    EXPECT_THAT(client().get(target), is_error(Kind::Invalid, "ASCII")) << target;
  }
  EXPECT_TRUE(service_.asked().empty());
}

TEST_F(Requests, CarryTheirMethodAndBody) {
  const json::value body = {{"name", "alice"}, {"text", "\"ü\"\n"}};
  EXPECT_THAT(client().post("/v1/guests", body), is_ok());
  EXPECT_THAT(client().remove("/v1/guests/alice"), is_ok());
  const std::vector<Request> asked = service_.asked();
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_EQ(asked[0].method, "POST");
  EXPECT_EQ(json::parse(asked[0].body), body);
  EXPECT_EQ(asked[1].method, "DELETE");
  EXPECT_EQ(asked[1].body, "");
}

TEST_F(Requests, AreAnsweredWithTheServicesDocument) {
  const json::value document = {{"text", "ü \"quoted\"\n"}, {"list", {1, -2, 3.5, nullptr}}, {"no", false}};
  for (const unsigned status : {200U, 201U, 202U}) {
    service_.answer = [&](const Request&) { return json_response(status, document); };
    const auto answer = client().get("/v1/x");
    ASSERT_THAT(answer, is_ok());
    EXPECT_EQ(*answer, document);
  }
}

TEST_F(Requests, CarryLongDocumentsBothWays) {
  service_.answer = [](const Request& request) {
    return json_response(200, {{"size", request.body.size()}, {"text", std::string(3U << 20U, 'x')}});
  };
  const std::string most((1U << 20U) - 2, 'y');  // and its two quotes
  const auto answer = client().post("/v1/x", json::string(most));
  ASSERT_THAT(answer, is_ok());
  EXPECT_EQ(answer->at("size"), 1U << 20U);
  EXPECT_EQ(answer->at("text").as_string().size(), 3U << 20U);
}

TEST_F(Requests, GiveErrorsBackAsTheyWere) {
  const std::string messages[] = {"no guest 'bob'", "ü \"quoted\" \\ back\tslash\nsecond line", "",
                                  std::string(100'000, 'x')};
  for (const Kind kind : {Kind::NotFound, Kind::Invalid, Kind::Conflict, Kind::QuotaExceeded, Kind::Denied,
                          Kind::Unavailable, Kind::Timeout, Kind::Internal}) {
    for (const std::string& message : messages) {
      service_.answer = [&](const Request&) { return error_response(Error(kind, message)); };
      const auto answer = client().get("/v1/x");
      ASSERT_FALSE(answer);
      EXPECT_EQ(answer.error().kind(), kind);
      EXPECT_EQ(answer.error().message(), message);
    }
    RawPeer peer(socket());
    peer.send("GET /v1/x HTTP/1.1\r\n\r\n");
    EXPECT_EQ(status_of(peer.answer()), std::to_string(http_status(kind)));
  }
}

TEST_F(Requests, OfAnErrorCarryTheSystemsReason) {
  service_.answer = [](const Request&) { return error_response(system_error("open /x", EACCES)); };
  EXPECT_THAT(client().get("/v1/x"), is_error(Kind::Denied, system_error("open /x", EACCES).message()));
}

TEST_F(Requests, ToOtherAddressesNeverReachTheService) {
  for (const char* target : {"/", "/v2/guests", "/v1x", "/guests", "//v1/guests", "/V1"}) {
    EXPECT_THAT(client().get(target), is_error(Kind::NotFound, "/v1")) << target;
  }
  for (const char* target : {"http://host/v1/x", "*", "v1/x", "/v1/%zz", "/v1/%", "/v1/<x>"}) {
    RawPeer peer(socket());
    peer.send(std::string("GET ") + target + " HTTP/1.1\r\n\r\n");
    EXPECT_EQ(status_of(peer.answer()), "400") << target;
  }
  EXPECT_TRUE(service_.asked().empty());
}

TEST_F(Requests, ShareAConnectionUntilOneEndsIt) {
  RawPeer peer(socket());
  for (int i = 0; i < 3; ++i) {
    peer.send("GET /v1/" + std::to_string(i) + " HTTP/1.1\r\n\r\n");
    EXPECT_EQ(status_of(peer.answer()), "200");
  }
  peer.send("GET /v2 HTTP/1.1\r\n\r\n");
  EXPECT_EQ(status_of(peer.answer()), "404");
  peer.send("GET /v1/last HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(status_of(peer.answer()), "200");
  EXPECT_EQ(peer.rest(), "");
  EXPECT_EQ(service_.asked().size(), 4U);
}

TEST_F(Requests, OfTheOldProtocolEndTheirConnection) {
  RawPeer peer(socket());
  peer.send("GET /v1/x HTTP/1.0\r\n\r\n");
  EXPECT_EQ(status_of(peer.answer()), "200");
  EXPECT_EQ(peer.rest(), "");
}

TEST_F(Requests, SentTogetherAreAnsweredInTheirOrder) {
  service_.answer = [](const Request& request) { return json_response(200, {{"to", request.path[0]}}); };
  RawPeer peer(socket());
  peer.send("POST /v1/a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /v1/b HTTP/1.1\r\n\r\nGET /v1/c HT");
  EXPECT_TRUE(peer.answer().ends_with("{\"to\":\"a\"}\n"));
  EXPECT_TRUE(peer.answer().ends_with("{\"to\":\"b\"}\n"));
  peer.send("TP/1.1\r\n\r\n");
  EXPECT_TRUE(peer.answer().ends_with("{\"to\":\"c\"}\n"));
  EXPECT_EQ(service_.asked()[0].body, "abc");
}

TEST_F(Requests, OfAnyMethodReachTheService) {
  RawPeer peer(socket());
  for (const char* method : {"PUT", "PATCH", "OPTIONS", "BREW"}) {
    peer.send(std::string(method) + " /v1/x HTTP/1.1\r\n\r\n");
    EXPECT_EQ(status_of(peer.answer()), "200");
    EXPECT_EQ(service_.asked().back().method, method);
  }
}

TEST_F(Requests, AreAnsweredWhileOthersWait) {
  std::promise<void> go_on;
  const std::shared_future<void> slow = go_on.get_future().share();
  service_.answer = [slow](const Request& request) {
    if (request.path[0] == "slow") slow.wait();
    return json_response(200, {{"to", request.path[0]}});
  };
  auto waiting = std::async(std::launch::async, [&] { return client().get("/v1/slow"); });
  EXPECT_THAT(client().get("/v1/quick"), is_ok());
  go_on.set_value();
  EXPECT_THAT(waiting.get(), is_ok());
}

TEST_F(Requests, OfManyConnectionsAtOnceAreAllAnswered) {
  service_.answer = [](const Request& request) { return json_response(200, {{"to", request.path[0]}}); };
  std::vector<RawPeer> peers;
  for (int i = 0; i < 200; ++i) peers.emplace_back(socket());
  for (int i = 0; i < 200; ++i)
    peers[static_cast<std::size_t>(i)].send("GET /v1/n" + std::to_string(i) + " HTTP/1.1\r\n\r\n");
  for (int i = 200; i-- > 0;) {
    EXPECT_TRUE(
        peers[static_cast<std::size_t>(i)].answer().ends_with("{\"to\":\"n" + std::to_string(i) + "\"}\n"));
  }
}

TEST_F(Requests, OfManyClientsAtOnceAreAllAnswered) {
  std::vector<std::future<bool>> done;
  for (int i = 0; i < 16; ++i) {
    done.push_back(std::async(std::launch::async, [this] {
      for (int j = 0; j < 20; ++j) {
        if (!client().get("/v1/x")) return false;
      }
      return true;
    }));
  }
  for (auto& one : done) EXPECT_TRUE(one.get());
  EXPECT_EQ(service_.asked().size(), 320U);
}

}  // namespace
}  // namespace umlfarm::api
