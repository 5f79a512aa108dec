#include "guest/mconsole/protocol.h"

#include <gtest/gtest.h>

#include "tests/guest/mconsole/packets.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::guest::mconsole {
namespace {

using umlfarm::testing::is_error;
using umlfarm::testing::is_ok;

constexpr std::uint32_t kMagic = 0xcafebabe;

TEST(EncodeRequest, WritesMagicVersionLengthAndCommand) {
  const auto packet = encode_request("sysrq s");
  ASSERT_THAT(packet, is_ok());
  EXPECT_EQ(*packet, words({kMagic, 2, 7}) + "sysrq s");
}

TEST(EncodeRequest, RefusesWhatUmlRefuses) {
  EXPECT_THAT(encode_request(std::string(511, 'x')), is_ok());
  EXPECT_THAT(encode_request(std::string(512, 'x')), is_error(Kind::Invalid, "512"));
  EXPECT_THAT(encode_request(std::string(100'000, 'x')), is_error(Kind::Invalid, "100000"));
  EXPECT_THAT(encode_request(""), is_error(Kind::Invalid, "0 bytes"));
  EXPECT_THAT(encode_request(std::string_view("a\0b", 3)), is_error(Kind::Invalid, "NUL"));
}

TEST(Reply, ReadsOnePacket) {
  struct Case {
    const char* what;
    std::string packet;
    bool failed;
    std::string text;
  };
  for (const auto& [what, packet, failed, text] : std::vector<Case>{
           {"length with NUL", reply_packet(0, 0, 3, std::string("ok\0", 3)), false, "ok"},
           {"length without NUL", reply_packet(0, 0, 2, "ok"), false, "ok"},
           {"bytes beyond the length", reply_packet(0, 0, 2, "okay"), false, "ok"},
           {"text beyond the NUL", reply_packet(0, 0, 6, std::string("ok\0bad", 6)), false, "ok"},
           {"no text", reply_packet(0, 0, 0, ""), false, ""},
           {"error", reply_packet(1, 0, 4, std::string("no!\0", 4)), true, "no!"},
           {"negative error", reply_packet(static_cast<std::uint32_t>(-22), 0, 1, ""), true, ""},
           {"length beyond the packet", reply_packet(0, 0, 500, "ok"), false, "ok"},
           {"greatest length", reply_packet(0, 0, 0xffffffff, "ok"), false, "ok"},
           {"more than 512 bytes", reply_packet(0, 0, 1000, std::string(1000, 'x')), false,
            std::string(512, 'x')},
       }) {
    Reply reply;
    const auto last = reply.add(packet);
    ASSERT_THAT(last, is_ok()) << what;
    EXPECT_TRUE(*last) << what;
    EXPECT_EQ(reply.failed(), failed) << what;
    EXPECT_EQ(reply.text(), text) << what;
  }
}

TEST(Reply, PutsItsPacketsTogetherAndTakesTheErrorFromTheFirst) {
  for (const bool failed : {false, true}) {
    Reply reply;
    const std::uint32_t error = failed ? 5 : 0;
    EXPECT_FALSE(reply.add(reply_packet(error, 1, 4, std::string("one\0", 4))).value_or(true));
    EXPECT_FALSE(reply.add(reply_packet(failed ? 0 : 5, 7, 4, std::string("two\0", 4))).value_or(true));
    EXPECT_TRUE(reply.add(reply_packet(0, 0, 6, std::string("three\0", 6))).value_or(false));
    EXPECT_EQ(reply.failed(), failed);
    EXPECT_EQ(reply.text(), "onetwothree");
  }
}

TEST(Reply, RefusesEveryPacketThatIsTooShortForItsHeader) {
  const std::string whole = reply_packet(0, 0, 0, "");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    Reply reply;
    EXPECT_THAT(reply.add(whole.substr(0, length)), is_error(Kind::Invalid, std::to_string(length)));
    EXPECT_EQ(reply.text(), "");
  }
}

TEST(Reply, IsCutOffWhereItWouldGrowForEver) {
  Reply reply;
  const std::string packet = reply_packet(0, 1, 500, std::string(500, 'x'));
  std::size_t packets = 1;
  while (!reply.add(packet).value_or(true)) ASSERT_LT(++packets, 1000U);
  EXPECT_EQ(reply.text(), std::string(kMostReply, 'x'));
}

TEST(DecodeNotification, KnowsItsTypes) {
  using Type = Notification::Type;
  struct Case {
    std::uint32_t type;
    Type expected;
  };
  for (const auto& [type, expected] :
       std::initializer_list<Case>{{0, Type::Socket}, {1, Type::Panic}, {2, Type::Hang}, {3, Type::User}}) {
    const auto notification = decode_notification(words({kMagic, 2, type, 5}) + "hello");
    ASSERT_THAT(notification, is_ok()) << type;
    EXPECT_EQ(notification->type, expected);
    EXPECT_EQ(notification->text, "hello");
  }
}

TEST(DecodeNotification, BoundsItsText) {
  struct Case {
    std::uint32_t length;
    std::string data;
    std::string text;
  };
  for (const auto& [length, data, text] : std::vector<Case>{
           {6, std::string("hello\0", 6), "hello"},
           {2, "hello", "he"},
           {0, "hello", ""},
           {0xffffffff, "hello", "hello"},
           {9, std::string("he\0\0hello", 9), "he"},
           {1000, std::string(1000, 'x'), std::string(512, 'x')},
       }) {
    const auto notification = decode_notification(words({kMagic, 2, 3, length}) + data);
    ASSERT_THAT(notification, is_ok());
    EXPECT_EQ(notification->text, text);
  }
}

TEST(DecodeNotification, RefusesWhatIsNone) {
  const std::string good = words({kMagic, 2, 3, 0});
  ASSERT_THAT(decode_notification(good), is_ok());
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_THAT(decode_notification(good.substr(0, length)), is_error(Kind::Invalid, "packet")) << length;
  }
  for (const std::string& packet :
       {words({0xcafebabf, 2, 3, 0}), words({0xbebafeca, 2, 3, 0}), words({0, 0, 0, 0}),
        words({kMagic, 2, 4, 0}), words({kMagic, 2, 0xffffffff, 0}), std::string(16, 'x')}) {
    EXPECT_THAT(decode_notification(packet), is_error(Kind::Invalid, "not a notification"));
  }
}

}  // namespace
}  // namespace umlfarm::guest::mconsole
