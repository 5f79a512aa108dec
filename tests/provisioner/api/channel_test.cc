// WebSockets, and what they are connected to.
#include <thread>

#include "tests/provisioner/api/channels.h"
#include "tests/provisioner/api/raw_peer.h"

namespace umlfarm::api {
namespace {

using testing::is_error;
using testing::is_ok;

TEST_F(Channels, AreAskedForWithAnUpgrade) {
  serve_channel(SOCK_STREAM, false);
  join();
  ASSERT_EQ(service_.asked().size(), 1U);
  const Request request = service_.asked()[0];
  EXPECT_TRUE(request.upgrade);
  EXPECT_EQ(request.path, (std::vector<std::string>{"guests", "alice", "tunnel"}));
  EXPECT_EQ(request.query.at("port"), "22");
  far_.reset();
  expect_ended();
}

TEST_F(Channels, CarryEveryByteBothWays) {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  serve_channel(SOCK_STREAM, false);
  join();
  EXPECT_TRUE(channel_->send(every));
  EXPECT_EQ(far_read(every.size()), every);
  far_write(every);
  EXPECT_EQ(got(every.size()), every);
  far_.reset();
  expect_ended();
}

TEST_F(Channels, CarryMuchBothWaysAtOnce) {
  constexpr std::size_t kPieces = 16;
  const std::string piece(300'000, 'x');
  serve_channel(SOCK_STREAM, false);
  join();
  std::thread there([&] {
    for (std::size_t i = 0; i < kPieces; ++i) EXPECT_TRUE(channel_->send(piece));
  });
  std::thread back([&] {
    for (std::size_t i = 0; i < kPieces; ++i) far_write(piece);
  });
  EXPECT_EQ(far_read(kPieces * piece.size()).size(), kPieces * piece.size());
  there.join();
  back.join();
  EXPECT_EQ(got(kPieces * piece.size()).size(), kPieces * piece.size());
  far_.reset();
  expect_ended();
}

TEST_F(Channels, SayTheFirstTextFirst) {
  serve_channel(SOCK_STREAM, false, "welcome\n");
  far_write("then this");
  join();
  EXPECT_EQ(got(17), "welcome\nthen this");
  far_.reset();
  expect_ended();
}

TEST_F(Channels, LetTheOtherSideAnswerAfterTheLastInput) {
  serve_channel(SOCK_STREAM, false);
  join();
  EXPECT_TRUE(channel_->send("question"));
  EXPECT_TRUE(channel_->send_text("eof"));
  EXPECT_EQ(far_read(100), "question");
  far_write("answer");
  far_.reset();
  expect_ended();
  EXPECT_EQ(got(6), "answer");
}

TEST_F(Channels, OfBytesIgnoreOtherTexts) {
  serve_channel(SOCK_STREAM, false);
  join();
  EXPECT_TRUE(channel_->send_text("{\"rows\":24,\"cols\":80}"));
  EXPECT_TRUE(channel_->send_text("EOF"));
  EXPECT_TRUE(channel_->send("data"));
  EXPECT_EQ(far_read(4), "data");
  far_.reset();
  expect_ended();
}

TEST_F(Channels, EndWithWhatTheyAreConnectedTo) {
  serve_channel(SOCK_STREAM, false);
  join();
  far_write("last words");
  far_.reset();
  expect_ended();
  EXPECT_EQ(got(10), "last words");
  EXPECT_FALSE(channel_->send("too late"));
  expect_still_serves();
}

TEST_F(Channels, EndWhenTheClientLeaves) {
  serve_channel(SOCK_STREAM, false);
  join();
  channel_->leave();
  expect_ended();
  channel_.reset();
  EXPECT_EQ(far_read(), "");
  expect_still_serves();
}

TEST_F(Channels, EndWhenTheClientLeavesFromWithin) {
  serve_channel(SOCK_STREAM, false);
  join([this](std::string_view) { channel_->leave(); });
  far_write("anything");
  expect_ended();
  channel_.reset();
  EXPECT_EQ(far_read(), "");
}

TEST_F(Channels, EndWhenTheServiceNoLongerReads) {
  serve_channel(SOCK_STREAM, false);
  join();
  ASSERT_EQ(::shutdown(far_.get(), SHUT_RD), 0);
  // The first shows it to the server; its connection ends then.
  while (channel_->send("x")) {
  }
  expect_ended();
  expect_still_serves();
}

TEST_F(Channels, WithTooLongAMessageEnd) {
  serve_channel(SOCK_STREAM, false);
  join();
  (void)channel_->send(std::string((1U << 20U) + 1, 'x'));
  expect_ended();
  expect_still_serves();
}

TEST_F(Channels, GiveRefusalsBackAsTheyWere) {
  for (const Kind kind : {Kind::NotFound, Kind::Conflict, Kind::Unavailable, Kind::Internal}) {
    for (const std::string& message :
         {std::string("guest 'alice' \"does not\" run"), std::string(100'000, 'x')}) {
      service_.open = [&](const Request&) { return Error(kind, message); };
      EXPECT_THAT(client().open_channel("/v1/guests/alice/console"), is_error(kind, message));
    }
  }
  EXPECT_THAT(client().open_channel("/v2/x"), is_error(Kind::NotFound, "/v1"));
  expect_still_serves();
}

TEST_F(Channels, OfAPeerThatHangsUpEnd) {
  serve_channel(SOCK_STREAM, false);
  RawPeer peer(socket());
  peer.send(
      "GET /v1/x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  const std::string answer = peer.until("\r\n\r\n");
  EXPECT_EQ(status_of(answer), "101");
  // RFC 6455, 1.3, has this pair.
  EXPECT_NE(answer.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), std::string::npos) << answer;
  peer.send("\x82");  // half of a frame's head
  peer.hang_up();
  EXPECT_EQ(far_read(), "");
  expect_still_serves();
}

}  // namespace
}  // namespace umlfarm::api
