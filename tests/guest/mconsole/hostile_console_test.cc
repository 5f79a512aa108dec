// The console belongs to a tenant's kernel, and so does the directory that it lies in.
#include "tests/guest/mconsole/client_fixture.h"

namespace umlfarm::guest::mconsole {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using umlfarm::testing::is_ok;

using HostileConsole = ClientTest;

TEST_F(HostileConsole, CannotConfuseTheClientWithAPacket) {
  struct Case {
    std::string packet;
    std::string outcome;
  };
  FakeConsole console("g/mconsole");
  std::vector<std::string> expected;
  for (const auto& [packet, outcome] : std::vector<Case>{
           {"", "invalid"},
           {"x", "invalid"},
           {words({0, 0}), "invalid"},
           {words({0, 0, 0}).substr(0, 11), "invalid"},
           {words({0, 0, 0xffffffff}), ""},
           {reply_packet(0, 0, 0xffffffff, "ok"), "ok"},
           {reply_packet(0, 0, 513, std::string(600, 'x')), std::string(512, 'x')},
           {reply_packet(0, 0, 60'000, std::string(60'000, 'x')), std::string(512, 'x')},
           {reply_packet(0, 0, 1, "ok"), "o"},
           {reply_packet(0x80000000, 0, 0, ""), "failed "},
       }) {
    ask("version");
    ASSERT_TRUE(console.answer(expect_asked(console, "version"), packet));
    client_->on_readable();
    expected.push_back(outcome);
    EXPECT_EQ(outcomes_, expected);
  }
  expect_idle();
}

TEST_F(HostileConsole, CannotBreakAnAnswerInItsMiddleUnseen) {
  FakeConsole console("g/mconsole");
  ask("help");
  const std::string from = expect_asked(console, "help");
  ASSERT_TRUE(console.answer(from, reply_packet("begin", true)));
  ASSERT_TRUE(console.answer(from, "short"));
  client_->on_readable();
  EXPECT_THAT(outcomes_, ElementsAre("invalid"));
}

TEST_F(HostileConsole, CannotMakeAnAnswerGrowForEver) {
  FakeConsole console("g/mconsole");
  ask("log");
  const std::string from = expect_asked(console, "log");
  const std::string packet = reply_packet(0, 1, 512, std::string(512, 'x'));
  for (int i = 0; i < 1000 && outcomes_.empty(); ++i) {
    ASSERT_TRUE(console.answer(from, packet));
    client_->on_readable();
  }
  EXPECT_THAT(outcomes_, ElementsAre(std::string(kMostReply, 'x')));
}

TEST_F(HostileConsole, CannotPutTheDeadlineOffByMorePackets) {
  FakeConsole console("g/mconsole");
  ask("log");
  const std::string from = expect_asked(console, "log");
  const std::int64_t deadline = *client_->next();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(console.answer(from, reply_packet("", true)));
    client_->on_readable();
  }
  EXPECT_EQ(client_->next(), deadline);
  client_->on_time(deadline);
  EXPECT_THAT(outcomes_, ElementsAre("timeout"));
}

TEST_F(HostileConsole, IsUnavailableWhereThereIsNone) {
  ask("version");
  EXPECT_THAT(outcomes_, ElementsAre("unavailable"));
  expect_idle();
  ASSERT_THAT(posix::remove_tree("g"), is_ok());
  ask("version");
  EXPECT_THAT(outcomes_, ElementsAre("unavailable", "unavailable"));
  EXPECT_THAT(reply_sockets(), IsEmpty());
}

TEST_F(HostileConsole, IsUnavailableWhereNobodyListens) {
  { const FakeConsole gone("g/mconsole"); }
  ask("version");
  ASSERT_THAT(posix::remove_file("g/mconsole"), is_ok());
  ASSERT_THAT(posix::open("g/mconsole", O_CREAT | O_WRONLY, 0600), is_ok());
  ask("version");
  ASSERT_THAT(posix::remove_file("g/mconsole"), is_ok());
  ASSERT_THAT(posix::make_directories("g/mconsole", 0700), is_ok());
  ask("version");
  EXPECT_THAT(outcomes_, ElementsAre("unavailable", "unavailable", "unavailable"));
  EXPECT_THAT(reply_sockets(), IsEmpty());
}

TEST_F(HostileConsole, CannotLeadTheClientElsewhereByALink) {
  const testing::TemporaryDirectory elsewhere;
  FakeConsole other(elsewhere / "mconsole");
  ASSERT_EQ(::symlink((elsewhere / "mconsole").c_str(), "g/mconsole"), 0);
  ask("version");
  ASSERT_THAT(posix::remove_tree("g"), is_ok());
  ASSERT_EQ(::symlink(elsewhere.path().c_str(), "g"), 0);
  ask("version");
  EXPECT_THAT(outcomes_, ElementsAre("unavailable", "unavailable"));
  EXPECT_FALSE(other.asked());
}

TEST_F(HostileConsole, CannotLeadTheClientToItsNeighbourInTheSameDirectory) {
  FakeConsole other("g/other");
  ASSERT_EQ(::symlink("other", "g/mconsole"), 0);
  ask("version");
  EXPECT_THAT(outcomes_, ElementsAre("unavailable"));
  EXPECT_FALSE(other.asked());
}

TEST_F(HostileConsole, CannotBlockTheClientByNotReading) {
  FakeConsole console("g/mconsole");
  for (int i = 0; i < 10'000 && (outcomes_.empty() || outcomes_.back() == "timeout"); ++i) {
    ask("version");
    if (client_->next()) client_->on_time(*client_->next());
  }
  ASSERT_FALSE(outcomes_.empty());
  EXPECT_EQ(outcomes_.back(), "unavailable");
}

TEST_F(HostileConsole, SpoilsOneRequestByTakingItsName) {
  FakeConsole console("g/mconsole");
  ask("version");
  const std::string first = expect_asked(console, "version");
  client_->on_time(*client_->next());
  const std::string next = first.substr(0, 1) + std::to_string(std::stoi(first.substr(1)) + 1);
  ASSERT_THAT(posix::make_directories(next, 0700), is_ok());
  ask("version");
  EXPECT_EQ(outcomes_.size(), 2U);
  ask("version");
  ASSERT_TRUE(console.answer(expect_asked(console, "version"), reply_packet("OK")));
  client_->on_readable();
  ASSERT_EQ(outcomes_.size(), 3U);
  EXPECT_NE(outcomes_[1], "OK");
  EXPECT_EQ(outcomes_[2], "OK");
}

TEST_F(HostileConsole, IsNotAnsweredForByOthers) {
  FakeConsole console("g/mconsole");
  FakeConsole other("g/other");
  ask("version");
  const std::string from = expect_asked(console, "version");
  EXPECT_FALSE(other.answer(from, reply_packet("forged")));
  client_->on_readable();
  EXPECT_THAT(outcomes_, IsEmpty());
}

}  // namespace
}  // namespace umlfarm::guest::mconsole
