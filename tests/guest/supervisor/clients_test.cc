#include "guest/supervisor/clients.h"

#include "tests/guest/supervisor/clients_fixture.h"

namespace umlfarm::guest {
namespace {

using ::testing::ElementsAre;
using testing::is_error;
using testing::is_ok;
using ::testing::IsEmpty;
using State = SupervisorStatus::State;

class SupervisorClients : public ClientsTest {
 protected:
  static State state_in(const std::optional<std::string>& packet) {
    const auto text = parse_answer(packet.value_or(""));
    EXPECT_THAT(text, is_ok());
    const auto status = parse_status(text.value_or(std::string()));
    EXPECT_THAT(status, is_ok());
    return status ? status->state : State::Starting;
  }

  static mconsole::Reply reply(const std::string& text, std::uint32_t error = 0) {
    mconsole::Reply reply;
    for (std::size_t at = 0; at == 0 || at < text.size(); at += 500) {
      const std::string piece = text.substr(at, 500);
      const std::uint32_t more = at + 500 < text.size() ? 1 : 0;
      const std::uint32_t header[3] = {error, more, static_cast<std::uint32_t>(piece.size())};
      EXPECT_THAT(reply.add(std::string(reinterpret_cast<const char*>(header), sizeof header) + piece),
                  is_ok());
    }
    return reply;
  }
};

TEST_F(SupervisorClients, AnswerStatus) {
  target_.status_.state = State::Ready;
  target_.status_.init = 4711;
  const UniqueFd client = connect();
  const auto text = parse_answer(ask(client, "status"));
  ASSERT_THAT(text, is_ok());
  const auto status = parse_status(*text);
  ASSERT_THAT(status, is_ok());
  EXPECT_EQ(status->state, State::Ready);
  EXPECT_EQ(status->init, 4711);
  EXPECT_FALSE(hear(client));
}

TEST_F(SupervisorClients, AnswerSeveralRequestsOfOneClientInOrder) {
  const UniqueFd client = connect();
  for (const char* request : {"stop 1", "stop 2", "kill"}) {
    ASSERT_GT(::send(client.get(), request, std::string(request).size(), MSG_NOSIGNAL), 0);
  }
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(turn());
  EXPECT_FALSE(turn());
  EXPECT_THAT(target_.asked_, ElementsAre("stop 1", "stop 2", "kill"));
  for (int i = 0; i < 3; ++i) EXPECT_THAT(parse_answer(hear(client).value_or("")), is_ok()) << i;
}

TEST_F(SupervisorClients, TellWatchersOfEveryChangeAndNobodyElse) {
  const UniqueFd watcher = connect();
  const UniqueFd other = connect();
  EXPECT_EQ(state_in(ask(watcher, "watch")), State::Starting);
  ask(other, "status");
  for (const State state : {State::Ready, State::Stopping}) {
    target_.status_.state = state;
    clients_.on_status_change();
    EXPECT_EQ(state_in(hear(watcher)), state);
    EXPECT_FALSE(hear(watcher));
    EXPECT_FALSE(hear(other));
  }
}

TEST_F(SupervisorClients, PassCommandsToTheManagementConsole) {
  const UniqueFd client = connect();
  say(client, "mconsole config ubd0");
  say(client, "mconsole help");
  EXPECT_THAT(target_.asked_, ElementsAre("mconsole config ubd0", "mconsole help"));
  EXPECT_FALSE(hear(client)) << "the answer is still to come";
  target_.answers_[0](reply("/disks/root.cow"));
  EXPECT_EQ(parse_answer(hear(client).value_or("")).value_or(""), "/disks/root.cow");
  target_.answers_[1](reply("ERR no help", 1));
  EXPECT_THAT(parse_answer(hear(client).value_or("")), is_error(Kind::Invalid, "ERR no help"));
}

TEST_F(SupervisorClients, PassOnThatTheManagementConsoleDidNotAnswer) {
  const UniqueFd client = connect();
  say(client, "mconsole stack");
  target_.answers_[0](Error(Kind::Timeout, "no answer"));
  EXPECT_THAT(parse_answer(hear(client).value_or("")), is_error(Kind::Timeout, "no answer"));
}

TEST_F(SupervisorClients, FitTheLongestReplyIntoAPacket) {
  const UniqueFd client = connect();
  say(client, "mconsole log");
  target_.answers_[0](reply(std::string(100'000, 'x')));
  const auto packet = hear(client);
  ASSERT_TRUE(packet);
  EXPECT_LE(packet->size(), kMostPacket);
  const auto text = parse_answer(*packet);
  ASSERT_THAT(text, is_ok());
  EXPECT_GT(text->size(), kMostPacket - 100);
  EXPECT_EQ(text->find_first_not_of('x'), std::string::npos);
}

TEST_F(SupervisorClients, MayLeaveBeforeTheManagementConsoleAnswers) {
  UniqueFd client = connect();
  say(client, "mconsole stack");
  client.reset();
  turn();
  EXPECT_EQ(connected(), 0U);
  target_.answers_[0](reply("too late"));
  EXPECT_EQ(connected(), 0U);
}

TEST_F(SupervisorClients, PassOnStopAndKillAndConfirm) {
  const UniqueFd client = connect();
  EXPECT_THAT(parse_answer(ask(client, "stop 2500")), is_ok());
  EXPECT_THAT(parse_answer(ask(client, "kill")), is_ok());
  EXPECT_THAT(target_.asked_, ElementsAre("stop 2500", "kill"));
}

TEST_F(SupervisorClients, AreToldThatARequestIsMalformedAndStay) {
  const UniqueFd client = connect();
  for (const std::string& request : {std::string("reboot"), std::string("stop soon"), std::string("mconsole"),
                                     std::string(20'000, 'x'), std::string(3, '\0')}) {
    EXPECT_THAT(parse_answer(ask(client, request)), is_error(Kind::Invalid, "unknown request"));
  }
  EXPECT_THAT(target_.asked_, IsEmpty());
  EXPECT_EQ(state_in(ask(client, "status")), State::Starting);
}

TEST_F(SupervisorClients, AreForgottenWhenTheyLeave) {
  UniqueFd first = connect();
  const UniqueFd second = connect();
  ask(first, "watch");
  EXPECT_EQ(connected(), 2U);
  first.reset();
  clients_.on_status_change();
  turn();
  EXPECT_EQ(connected(), 1U);
  EXPECT_EQ(state_in(ask(second, "status")), State::Starting);
}

TEST_F(SupervisorClients, AreLimitedInNumberAndTheOthersDoNotSuffer) {
  std::vector<UniqueFd> all;
  for (int i = 0; i < 64; ++i) all.push_back(connect());
  EXPECT_EQ(connected(), 64U);
  const UniqueFd refused = connect();
  EXPECT_EQ(hear(refused), "gone");
  EXPECT_EQ(connected(), 64U);
  for (const UniqueFd& client : {std::cref(all.front()), std::cref(all.back())}) {
    EXPECT_EQ(state_in(ask(client, "status")), State::Starting);
  }
  all.pop_back();
  turn();
  const UniqueFd next = connect();
  EXPECT_EQ(state_in(ask(next, "status")), State::Starting);
}

}  // namespace
}  // namespace umlfarm::guest
