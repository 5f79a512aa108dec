#include "guest/mconsole/client.h"

#include <sys/stat.h>

#include "tests/guest/mconsole/client_fixture.h"

namespace umlfarm::guest::mconsole {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MconsoleClient : public ClientTest {
 protected:
  FakeConsole console_{"g/mconsole"};
};

TEST_F(MconsoleClient, GivesTheAnswer) {
  ask("version");
  EXPECT_GE(client_->descriptor(), 0);
  ASSERT_TRUE(console_.answer(expect_asked(console_, "version"), reply_packet("OK Linux")));
  EXPECT_THAT(outcomes_, IsEmpty());
  client_->on_readable();
  EXPECT_THAT(outcomes_, ElementsAre("OK Linux"));
  expect_idle();
}

TEST_F(MconsoleClient, TellsThatTheKernelRefused) {
  ask("config nothing");
  ASSERT_TRUE(console_.answer(expect_asked(console_, "config nothing"), reply_packet(1, 0, 3, "ERR")));
  client_->on_readable();
  EXPECT_THAT(outcomes_, ElementsAre("failed ERR"));
}

TEST_F(MconsoleClient, PutsAnAnswerOfSeveralPacketsTogether) {
  ask("help");
  const std::string from = expect_asked(console_, "help");
  ASSERT_TRUE(console_.answer(from, reply_packet("one ", true)));
  client_->on_readable();
  ASSERT_TRUE(console_.answer(from, reply_packet("two ", true)));
  ASSERT_TRUE(console_.answer(from, reply_packet("three")));
  EXPECT_THAT(outcomes_, IsEmpty());
  client_->on_readable();
  EXPECT_THAT(outcomes_, ElementsAre("one two three"));
}

TEST_F(MconsoleClient, WaitsWhileNothingCame) {
  ask("version");
  client_->on_readable();
  EXPECT_THAT(outcomes_, IsEmpty());
  EXPECT_GE(client_->descriptor(), 0);
}

TEST_F(MconsoleClient, GivesUpAtTheDeadlineAndNotBefore) {
  ask("stack");
  ASSERT_TRUE(client_->next());
  const std::int64_t deadline = *client_->next();
  client_->on_time(deadline - 1);
  EXPECT_THAT(outcomes_, IsEmpty());
  client_->on_time(deadline);
  EXPECT_THAT(outcomes_, ElementsAre("timeout"));
  expect_idle();
  client_->on_time(deadline + kLimit);
  EXPECT_EQ(outcomes_.size(), 1U);
}

TEST_F(MconsoleClient, GivesUpOnAnAnswerThatNeverEnds) {
  ask("log");
  ASSERT_TRUE(console_.answer(expect_asked(console_, "log"), reply_packet("begin", true)));
  client_->on_readable();
  client_->on_time(*client_->next());
  EXPECT_THAT(outcomes_, ElementsAre("timeout"));
}

TEST_F(MconsoleClient, DoesNotTakeALateAnswerForTheNextOnes) {
  ask("stack");
  const std::string late = expect_asked(console_, "stack");
  client_->on_time(*client_->next());
  ask("version");
  const std::string from = expect_asked(console_, "version");
  EXPECT_FALSE(console_.answer(late, reply_packet("late")));
  client_->on_readable();
  EXPECT_THAT(outcomes_, ElementsAre("timeout"));
  ASSERT_TRUE(console_.answer(from, reply_packet("OK")));
  client_->on_readable();
  EXPECT_THAT(outcomes_, ElementsAre("timeout", "OK"));
}

TEST_F(MconsoleClient, DoesNotTakeASecondAnswerForTheNextOnes) {
  ask("version");
  ask("help");
  const std::string from = expect_asked(console_, "version");
  ASSERT_TRUE(console_.answer(from, reply_packet("only version 2")));
  ASSERT_TRUE(console_.answer(from, reply_packet("unknown command")));
  client_->on_readable();
  client_->on_readable();
  EXPECT_THAT(outcomes_, ElementsAre("only version 2"));
  ASSERT_TRUE(console_.answer(expect_asked(console_, "help"), reply_packet("help")));
  client_->on_readable();
  EXPECT_THAT(outcomes_, ElementsAre("only version 2", "help"));
}

TEST_F(MconsoleClient, AsksOneAfterTheOtherInOrder) {
  for (const char* command : {"one", "two", "three"}) ask(command);
  for (const char* command : {"one", "two", "three"}) {
    const std::string from = expect_asked(console_, command);
    EXPECT_FALSE(console_.asked()) << "while " << command << " is under way";
    ASSERT_TRUE(console_.answer(from, reply_packet(std::string("re ") + command)));
    client_->on_readable();
  }
  EXPECT_THAT(outcomes_, ElementsAre("re one", "re two", "re three"));
  expect_idle();
}

TEST_F(MconsoleClient, CountsALimitFromTheRequestsTurn) {
  ask("slow", 1'000'000'000);
  ask("quick", 10);
  const std::int64_t first = *client_->next();
  ASSERT_TRUE(console_.answer(expect_asked(console_, "slow"), reply_packet("OK")));
  client_->on_readable();
  ASSERT_TRUE(client_->next());
  EXPECT_LT(*client_->next(), first - 100'000'000);
  client_->on_time(*client_->next());
  EXPECT_THAT(outcomes_, ElementsAre("OK", "timeout"));
}

TEST_F(MconsoleClient, MayBeAskedByWhoeverGetsAnAnswer) {
  client_->ask("version", kLimit, [this](const Result<Reply>& reply) {
    outcomes_.push_back(outcome(reply));
    ask("help");
  });
  ask("queued before");
  for (const char* command : {"version", "queued before", "help"}) {
    ASSERT_TRUE(console_.answer(expect_asked(console_, command), reply_packet(command)));
    client_->on_readable();
  }
  EXPECT_THAT(outcomes_, ElementsAre("version", "queued before", "help"));
}

TEST_F(MconsoleClient, RefusesACommandThatUmlWouldAndGoesOn) {
  ask(std::string(512, 'x'));
  ask("");
  EXPECT_THAT(outcomes_, ElementsAre("invalid", "invalid"));
  expect_idle();
  ask("version");
  expect_asked(console_, "version");
}

TEST_F(MconsoleClient, LetsEveryUserOfTheGuestAnswerWhateverTheUmask) {
  const mode_t before = ::umask(0077);
  ask("version");
  EXPECT_EQ(::umask(before), 0077U);
  struct stat info {};
  ASSERT_EQ(::stat(expect_asked(console_, "version").c_str(), &info), 0);
  EXPECT_TRUE(S_ISSOCK(info.st_mode));
  EXPECT_EQ(info.st_mode & 0222U, 0222U);
}

TEST_F(MconsoleClient, LeavesNoReplySocketBehind) {
  ask("version");
  ASSERT_TRUE(console_.answer(expect_asked(console_, "version"), reply_packet("OK")));
  client_->on_readable();
  EXPECT_THAT(reply_sockets(), IsEmpty());
  ask("stack");
  EXPECT_EQ(reply_sockets().size(), 1U);
  client_->on_time(*client_->next());
  EXPECT_THAT(reply_sockets(), IsEmpty());
  ask("help");
  client_.reset();
  EXPECT_THAT(reply_sockets(), IsEmpty());
  EXPECT_THAT(outcomes_, ElementsAre("OK", "timeout"));
}

}  // namespace
}  // namespace umlfarm::guest::mconsole
