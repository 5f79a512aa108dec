// What a console's packets are, between a WebSocket and a supervisor.
#include "tests/provisioner/api/channels.h"

namespace umlfarm::api {
namespace {

class ConsoleChannels : public Channels {
 protected:
  void SetUp() override { serve_channel(SOCK_SEQPACKET, true, first_); }
  void TearDown() override {
    far_.reset();
    if (ended_.valid()) expect_ended();
  }
  std::string first_;
};

TEST_F(ConsoleChannels, MarkWhatIsTyped) {
  join();
  EXPECT_TRUE(channel_->send("ls\n"));
  EXPECT_EQ(far_read(), "dls\n");
  EXPECT_TRUE(channel_->send(std::string(1, '\0')));
  EXPECT_EQ(far_read(), std::string("d\0", 2));
}

TEST_F(ConsoleChannels, CutLongInputIntoPackets) {
  std::string pasted;
  for (int i = 0; i < 10'000; ++i) pasted += static_cast<char>('a' + i % 26);
  join();
  EXPECT_TRUE(channel_->send(pasted));
  std::string arrived;
  while (arrived.size() < pasted.size()) {
    const std::string packet = far_read();
    ASSERT_TRUE(packet.starts_with('d')) << packet.size();
    ASSERT_LE(packet.size(), 4097U);
    arrived += packet.substr(1);
  }
  EXPECT_EQ(arrived, pasted);
}

TEST_F(ConsoleChannels, PassTheWindowsSizeOn) {
  join();
  EXPECT_TRUE(channel_->send_text("{\"rows\":37,\"cols\":101}"));
  EXPECT_EQ(far_read(), "w37 101");
}

TEST_F(ConsoleChannels, IgnoreWhatIsNoSizeAndNoInput) {
  join();
  for (const char* text : {"", "eof", "{", "[]", "null", "{}", "{\"rows\":37}", "{\"cols\":101}",
                           "{\"rows\":\"37\",\"cols\":101}", "{\"rows\":37.5,\"cols\":101}",
                           "{\"rows\":37,\"cols\":99999999999999999999}"}) {
    EXPECT_TRUE(channel_->send_text(text)) << text;
  }
  EXPECT_TRUE(channel_->send(""));
  EXPECT_TRUE(channel_->send("after"));
  EXPECT_EQ(far_read(), "dafter");
}

TEST_F(ConsoleChannels, ShowWhatComesUnchanged) {
  join();
  far_write("login: ");
  far_write("\x1b[2J");
  EXPECT_EQ(got(11), "login: \x1b[2J");
}

TEST_F(ConsoleChannels, EndWithTheSupervisor) {
  join();
  far_.reset();
  expect_ended();
  ended_ = {};
  EXPECT_FALSE(channel_->send("x"));
  expect_still_serves();
}

TEST_F(ConsoleChannels, TellTheSupervisorThatTheClientLeft) {
  join();
  channel_->leave();
  expect_ended();
  channel_.reset();
  EXPECT_EQ(far_read(), "");
}

}  // namespace
}  // namespace umlfarm::api
