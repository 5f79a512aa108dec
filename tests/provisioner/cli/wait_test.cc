#include "provisioner/cli/wait.h"

#include <boost/json.hpp>

#include "tests/provisioner/api/serving.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::cli {
namespace {

namespace json = boost::json;
using testing::is_error;
using testing::is_ok;

constexpr std::int64_t kLong = 60'000;

json::value guest(const std::string& name, const std::string& state, std::int64_t started_ms = 0) {
  return {{"name", name}, {"state", state}, {"started_ms", started_ms}, {"reason", "because\x1b"}};
}

TEST(Judge, KnowsWhatAStateMeansOnTheWay) {
  using Step = Verdict::Step;
  const struct {
    Goal goal;
    const char* state;
    std::int64_t started;
    std::int64_t after;
    Step step;
  } rows[] = {
      {Goal::Ready, "ready", 5, 0, Step::Reached},    {Goal::Ready, "ready", 6, 5, Step::Reached},
      {Goal::Ready, "ready", 5, 5, Step::Going},      {Goal::Ready, "starting", 5, 0, Step::Going},
      {Goal::Ready, "stopping", 5, 5, Step::Going},   {Goal::Ready, "a newer state", 5, 0, Step::Going},
      {Goal::Ready, "failed", 5, 0, Step::Failed},    {Goal::Ready, "stopped", 5, 0, Step::Failed},
      {Goal::Ready, "deleting", 5, 0, Step::Failed},  {Goal::Stopped, "stopped", 5, 0, Step::Reached},
      {Goal::Stopped, "failed", 5, 0, Step::Reached}, {Goal::Stopped, "ready", 5, 0, Step::Going},
      {Goal::Stopped, "stopping", 5, 0, Step::Going}, {Goal::Gone, "deleting", 5, 0, Step::Going},
      {Goal::Gone, "stopped", 5, 0, Step::Going}};
  for (const auto& row : rows) {
    const Verdict verdict = judge(guest("alice", row.state, row.started), row.goal, row.after);
    EXPECT_EQ(verdict.step, row.step) << row.state;
    EXPECT_EQ(verdict.reason.empty(), row.step != Step::Failed) << row.state;
  }
}

TEST(Judge, TellsWhyAndNothingThatATerminalWouldObey) {
  const Verdict verdict = judge(guest("alice", "failed"), Goal::Ready, 0);
  EXPECT_NE(verdict.reason.find("failed"), std::string::npos) << verdict.reason;
  EXPECT_NE(verdict.reason.find("because"), std::string::npos) << verdict.reason;
  EXPECT_EQ(verdict.reason.find('\x1b'), std::string::npos) << verdict.reason;
}

class WaitFor : public api::Serving {
 protected:
  // The answers one after the other; the last one stays.
  void answer(std::vector<Result<json::value>> answers) {
    service_.answer = [answers, at = std::make_shared<std::size_t>(0)](const api::Request&) {
      const Result<json::value>& now = answers[std::min((*at)++, answers.size() - 1)];
      return now ? api::json_response(200, *now) : api::error_response(now.error());
    };
  }
};

json::value list(const json::array& guests) { return {{"guests", guests}}; }

TEST_F(WaitFor, LooksUntilAGuestIsThere) {
  answer({guest("alice", "starting"), guest("alice", "starting"), guest("alice", "ready", 7)});
  EXPECT_THAT(wait_for(client(), {"alice"}, Goal::Ready, kLong), is_ok());
  ASSERT_EQ(service_.asked().size(), 3U);
  EXPECT_EQ(service_.asked()[0].path, (std::vector<std::string>{"guests", "alice"}));
}

TEST_F(WaitFor, LooksUntilAllOfManyAreThere) {
  answer({list({guest("a", "starting"), guest("b", "ready", 7), guest("other", "failed")}),
          list({guest("a", "ready", 7), guest("b", "ready", 7), guest("other", "failed")})});
  EXPECT_THAT(wait_for(client(), {"a", "b"}, Goal::Ready, kLong), is_ok());
  EXPECT_EQ(service_.asked().size(), 2U);
}

TEST_F(WaitFor, AWayGoingIsNotAnErrorWhereThatIsTheGoal) {
  answer({guest("alice", "deleting"), Error(Kind::NotFound, "no guest 'alice'")});
  EXPECT_THAT(wait_for(client(), {"alice"}, Goal::Gone, kLong), is_ok());
  answer({list({guest("a", "deleting"), guest("other", "ready")}), list({guest("other", "ready")})});
  EXPECT_THAT(wait_for(client(), {"a", "b"}, Goal::Gone, kLong), is_ok());
}

TEST_F(WaitFor, EndsWhereAGuestNeverWillBeThere) {
  answer({guest("alice", "starting"), guest("alice", "failed")});
  EXPECT_THAT(wait_for(client(), {"alice"}, Goal::Ready, kLong), is_error(Kind::Unavailable, "'alice'"));
  answer({Error(Kind::NotFound, "no guest 'alice'")});
  EXPECT_THAT(wait_for(client(), {"alice"}, Goal::Ready, kLong), is_error(Kind::Unavailable, "'alice'"));
  EXPECT_THAT(wait_for(client(), {"alice"}, Goal::Stopped, kLong), is_error(Kind::Unavailable, "'alice'"));
  answer({list({guest("a", "ready", 7)})});
  EXPECT_THAT(wait_for(client(), {"a", "b"}, Goal::Ready, kLong), is_error(Kind::Unavailable, "'b'"));
}

TEST_F(WaitFor, NamesThoseThatAreMissingInTheEnd) {
  answer({list({guest("a", "ready", 7), guest("b", "starting"), guest("c", "starting")})});
  EXPECT_THAT(wait_for(client(), {"a", "b", "c"}, Goal::Ready, 0), is_error(Kind::Timeout, ": b, c;"));
}

TEST_F(WaitFor, TakesOnlyALaterStartWhereThatIsAsked) {
  answer({guest("alice", "ready", 7), guest("alice", "stopping", 7), guest("alice", "ready", 8)});
  EXPECT_THAT(wait_for(client(), {"alice"}, Goal::Ready, kLong, 7), is_ok());
  EXPECT_EQ(service_.asked().size(), 3U);
}

TEST_F(WaitFor, GivesTheDaemonsErrorsBack) {
  answer({guest("alice", "starting"), Error(Kind::Denied, "not for you")});
  EXPECT_THAT(wait_for(client(), {"alice"}, Goal::Ready, kLong), is_error(Kind::Denied, "not for you"));
  answer({Error(Kind::Internal, "broken")});
  EXPECT_THAT(wait_for(client(), {"a", "b"}, Goal::Ready, kLong), is_error(Kind::Internal, "broken"));
}

}  // namespace
}  // namespace umlfarm::cli
