#include "guest/supervisor/control.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "tests/support/result_matchers.h"

namespace umlfarm::guest {
namespace {

using testing::is_error;
using testing::is_ok;
using Verb = ControlRequest::Verb;
using State = SupervisorStatus::State;

TEST(ParseRequest, KnowsItsVerbs) {
  struct Case {
    const char* packet;
    Verb verb;
    const char* command;
    std::int64_t patience;
  };
  for (const auto& [packet, verb, command, patience] : std::initializer_list<Case>{
           {"status", Verb::Status, "", 0},
           {"watch", Verb::Watch, "", 0},
           {"kill", Verb::Kill, "", 0},
           {"attach", Verb::Attach, "", 0},
           {"stop 0", Verb::Stop, "", 0},
           {"stop 30000", Verb::Stop, "", 30000},
           {"stop -1", Verb::Stop, "", -1},
           {"mconsole version", Verb::Mconsole, "version", 0},
           {"mconsole config ubd0=/a b", Verb::Mconsole, "config ubd0=/a b", 0},
           {"mconsole  x", Verb::Mconsole, " x", 0},
       }) {
    const auto request = parse_request(packet);
    ASSERT_THAT(request, is_ok()) << packet;
    EXPECT_EQ(request->verb, verb) << packet;
    EXPECT_EQ(request->command, command) << packet;
    EXPECT_EQ(request->patience, patience) << packet;
  }
}

TEST(ParseRequest, RefusesWhatItDoesNotKnow) {
  for (const char* packet : {"",
                             " ",
                             "Status",
                             "statuses",
                             "status now",
                             "watch 1",
                             "kill 9",
                             "attach x",
                             "stop",
                             "stop ",
                             "stop  5",
                             "stop 5 ",
                             "stop 5s",
                             "stop 1.5",
                             "stop +5",
                             "stop 0x5",
                             "stop 9223372036854775808",
                             "mconsole",
                             "mconsole ",
                             "status\n",
                             "\xff\xfe"}) {
    EXPECT_THAT(parse_request(packet), is_error(Kind::Invalid, "unknown request")) << packet;
  }
  EXPECT_THAT(parse_request(std::string("status\0", 7)), is_error(Kind::Invalid, "unknown request"));
}

TEST(ParseRequest, RepeatsLittleOfAHugeRequest) {
  const auto request = parse_request(std::string(8192, 'x'));
  ASSERT_FALSE(request);
  EXPECT_LT(request.error().message().size(), 200U);
}

TEST(Answer, CarriesItsTextUnchanged) {
  for (const std::string& text :
       {std::string(), std::string("one"), std::string("one\ntwo\n"), std::string("ok\n"),
        std::string("error invalid\n"), std::string("a\0b", 3), std::string(60'000, 'x')}) {
    const auto answer = parse_answer(ok_answer(text));
    ASSERT_THAT(answer, is_ok());
    EXPECT_EQ(*answer, text);
  }
}

TEST(Answer, CarriesTheKindOfAnError) {
  for (const Kind kind : {Kind::NotFound, Kind::Invalid, Kind::Conflict, Kind::QuotaExceeded, Kind::Denied,
                          Kind::Unavailable, Kind::Timeout, Kind::Internal}) {
    EXPECT_THAT(parse_answer(error_answer(Error(kind, "first\nsecond"))), is_error(kind, "first\nsecond"));
  }
  const Error with_code(Kind::Unavailable, std::make_error_code(std::errc::connection_refused), "console");
  EXPECT_THAT(parse_answer(error_answer(with_code)), is_error(Kind::Unavailable, "console: "));
}

TEST(Answer, OfAKindThatIsNotKnownIsStillAnError) {
  EXPECT_THAT(parse_answer("error melted\ntext"), is_error(Kind::Internal, "text"));
}

TEST(Answer, IsRefusedWhenMalformed) {
  for (const char* packet : {"", "ok", "\n", "okay\n", " ok\n", "OK\n", "error\n", "errors invalid\nx"}) {
    EXPECT_THAT(parse_answer(packet), is_error(Kind::Internal, "malformed")) << packet;
  }
}

TEST(SupervisorStatus, ReadsWhatItWrites) {
  for (const State state : {State::Starting, State::Ready, State::Unhealthy, State::Stopping}) {
    SupervisorStatus status;
    status.state = state;
    status.started_ms = 1'732'000'000'123;
    status.ready_ms = 1'732'000'000'456;
    status.init = 4'194'304;
    status.processors = {0, 63};
    status.memory_allocated = std::numeric_limits<std::uint64_t>::max();
    status.waits_for_room = state == State::Ready;
    status.console_dropped = 17;
    status.log_dropped = 18;
    status.answer_us = 1234;
    const auto read = parse_status(to_text(status));
    ASSERT_THAT(read, is_ok());
    EXPECT_EQ(read->state, state);
    EXPECT_EQ(read->started_ms, status.started_ms);
    EXPECT_EQ(read->ready_ms, status.ready_ms);
    EXPECT_EQ(read->init, status.init);
    EXPECT_EQ(read->processors, status.processors);
    EXPECT_EQ(read->memory_allocated, status.memory_allocated);
    EXPECT_EQ(read->waits_for_room, status.waits_for_room);
    EXPECT_EQ(read->console_dropped, status.console_dropped);
    EXPECT_EQ(read->log_dropped, status.log_dropped);
    EXPECT_EQ(read->answer_us, status.answer_us);
  }
}

TEST(SupervisorStatus, TakesAnyProcessorThroughTheText) {
  const auto read = parse_status(to_text(SupervisorStatus()));
  ASSERT_THAT(read, is_ok());
  EXPECT_TRUE(read->processors.empty());
  EXPECT_EQ(read->state, State::Starting);
}

TEST(SupervisorStatus, LeavesUnknownKeysAlone) {
  const auto read = parse_status("mood=good=day\nstate=ready\nfuture=\n=\ninit=7");
  ASSERT_THAT(read, is_ok());
  EXPECT_EQ(read->state, State::Ready);
  EXPECT_EQ(read->init, 7);
}

TEST(SupervisorStatus, IsRefusedWhenMalformed) {
  for (const char* text : {"state", "state=", "state=Ready", "state=ready ", "init=", "init=x", "init=7x",
                           "init= 7", "init=99999999999", "memory_allocated=-1",
                           "log_dropped=18446744073709551616", "state=ready\n\n", "\n"}) {
    EXPECT_THAT(parse_status(text), is_error(Kind::Internal, "malformed status")) << text;
  }
}

}  // namespace
}  // namespace umlfarm::guest
