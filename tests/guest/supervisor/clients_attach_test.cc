#include <chrono>

#include "tests/guest/supervisor/clients_fixture.h"

namespace umlfarm::guest {
namespace {

using testing::is_ok;

class AttachedClients : public ClientsTest {
 protected:
  UniqueFd attach() {
    UniqueFd client = connect();
    EXPECT_THAT(parse_answer(ask(client, "attach")), is_ok());
    return client;
  }

  Console& console() { return target_.console_; }
};

TEST_F(AttachedClients, SeeTheTailFirstAndThenWhatComes) {
  guest_prints("before ");
  guest_prints("that\r\n");
  const UniqueFd client = attach();
  EXPECT_EQ(hear(client), "before that\r\n");
  EXPECT_FALSE(hear(client));
  guest_prints("login: ");
  EXPECT_EQ(hear(client), "login: ");
}

TEST_F(AttachedClients, SeeNoTailWhereNothingWasPrinted) {
  const UniqueFd client = attach();
  EXPECT_FALSE(hear(client));
}

TEST_F(AttachedClients, AllSeeTheSameAndOthersNothing) {
  const UniqueFd first = attach();
  const UniqueFd second = attach();
  const UniqueFd other = connect();
  guest_prints("hello");
  EXPECT_EQ(hear(first), "hello");
  EXPECT_EQ(hear(second), "hello");
  EXPECT_FALSE(hear(other));
}

TEST_F(AttachedClients, GiveInput) {
  const UniqueFd client = attach();
  say(client, "droot\r");
  say(client, "dd");
  EXPECT_EQ(read_input(console(), 6), "root\rd");
  EXPECT_FALSE(hear(client)) << "input isn't answered";
}

TEST_F(AttachedClients, GiveInputOfAnyBytes) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  const UniqueFd client = attach();
  say(client, "d" + bytes);
  EXPECT_EQ(read_input(console(), bytes.size()), bytes);
}

TEST_F(AttachedClients, ResizeTheWindow) {
  const UniqueFd client = attach();
  say(client, "w50 132");
  EXPECT_EQ(window(console()), std::pair(50, 132));
}

TEST_F(AttachedClients, AreNotFollowedWhenTheyTalkNonsense) {
  const UniqueFd client = attach();
  for (const char* packet : {"w", "w50", "w50 ", "w 50 132", "w50 132x", "w50  132", "w-1 132", "w65536 1",
                             "wide", "w50x132", "x", "status", "kill", "d", "\xff"}) {
    say(client, packet);
    EXPECT_EQ(window(console()), std::pair(24, 80)) << packet;
  }
  EXPECT_TRUE(target_.asked_.empty());
  EXPECT_FALSE(hear(client));
  EXPECT_EQ(connected(), 1U);
  say(client, "d!");
  EXPECT_EQ(read_input(console(), 1), "!") << "none of it was input";
}

TEST_F(AttachedClients, LoseOutputThatTheyDoNotReadAndItIsCounted) {
  const UniqueFd slow = attach();
  const UniqueFd quick = attach();
  const std::string piece(10'000, 'x');
  std::size_t sent = 0;
  while (clients_.dropped() < 5 * piece.size()) {
    clients_.on_console_output(piece);
    sent += piece.size();
    ASSERT_EQ(hear(quick), piece);
    ASSERT_LT(sent, std::size_t{1} << 30U);
  }
  std::size_t heard = 0;
  while (const auto packet = hear(slow)) heard += packet->size();
  EXPECT_EQ(clients_.dropped(), sent - heard);
  clients_.on_console_output("again");
  EXPECT_EQ(hear(slow), "again") << "it is still attached";
}

TEST_F(AttachedClients, CountNothingForOneThatHasLeft) {
  UniqueFd client = attach();
  client.reset();
  clients_.on_console_output("nobody hears it");
  turn();
  EXPECT_EQ(connected(), 0U);
  clients_.on_console_output("nor that");
}

TEST_F(AttachedClients, AreHeldBackByAGuestThatDoesNotReadAndLoseNoInput) {
  const UniqueFd client = attach();
  std::string given;
  std::vector<pollfd> watched;
  for (int i = 0; i < 1000 && watched.size() < 3; ++i) {
    const std::string piece(4096, static_cast<char>('a' + i % 26));
    say(client, "d" + piece);
    given += piece;
    watched.clear();
    clients_.watch(watched);
  }
  ASSERT_EQ(watched.size(), 3U) << "the guest always took more";
  EXPECT_EQ(watched[1].events, 0) << "it is not read from meanwhile";
  EXPECT_EQ(watched[2].fd, console().master());
  EXPECT_EQ(watched[2].events, POLLOUT);
  say(client, "dend");
  given += "end";
  std::string taken;
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(kGiveUpMs);
  while (taken.size() < given.size() && std::chrono::steady_clock::now() < give_up) {
    if (readable(console().slave(), 10)) taken += read_input(console(), 1);
    turn();
  }
  EXPECT_EQ(taken, given);
}

TEST_F(AttachedClients, MayLeaveWhileTheirInputWaits) {
  UniqueFd client = attach();
  for (int i = 0; i < 1000 && connected() < 2; ++i) say(client, "d" + std::string(4096, 'x'));
  ASSERT_EQ(connected(), 2U) << "the guest always took more";
  client.reset();
  turn();
  EXPECT_EQ(connected(), 0U);
}

}  // namespace
}  // namespace umlfarm::guest
