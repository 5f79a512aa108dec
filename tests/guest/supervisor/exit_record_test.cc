#include "guest/supervisor/exit_record.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <csignal>
#include <functional>
#include <vector>

namespace umlfarm::guest {
namespace {

namespace json = boost::json;

int exited(int code) { return code << 8; }
int died(int signal) { return signal; }

ExitFacts ended(int wait_status, const char* last_output = "") {
  ExitFacts facts;
  facts.reported = true;
  facts.wait_status = wait_status;
  facts.last_output = last_output;
  return facts;
}

TEST(JudgeExit, FindsTheCauseAndSaysWhatIsKnown) {
  struct Case {
    const char* what;
    int wait_status;
    const char* last_output;
    std::function<void(ExitFacts&)> more;
    ExitCause cause;
    const char* detail;
  };
  const auto nothing = [](ExitFacts&) {};
  const auto stop_asked = [](ExitFacts& facts) { facts.stop_asked = true; };
  const auto panic = [](ExitFacts& facts) { facts.panic_text = "Attempted to kill init!"; };
  for (const auto& [what, wait_status, last_output, more, cause, detail] : std::vector<Case>{
           {"halt", exited(0), "reboot: System halted\r\n", nothing, ExitCause::PoweredOff, "inside"},
           {"power-off", exited(0), "reboot: Power down\r\n", nothing, ExitCause::PoweredOff, "inside"},
           {"no last words", exited(0), "", nothing, ExitCause::PoweredOff, "inside"},
           {"reboot", exited(0), "x\r\n[ 3.1] reboot: Restarting system\r\n", nothing, ExitCause::Rebooted,
            "inside"},
           {"halt by code", exited(2), "", nothing, ExitCause::PoweredOff, "inside"},
           {"reboot by code", exited(3), "", nothing, ExitCause::Rebooted, "inside"},
           {"reboot by code during a stop", exited(3), "", stop_asked, ExitCause::Stopped, "stopped"},
           {"stop", exited(0), "reboot: Power down\r\n", stop_asked, ExitCause::Stopped, "stopped"},
           {"reboot during a stop", exited(0), "reboot: Restarting system\r\n", stop_asked,
            ExitCause::Stopped, "stopped"},
           {"panic by signal", died(SIGABRT), "", panic, ExitCause::Panicked, "Attempted to kill init!"},
           {"panic by code", exited(134), "", panic, ExitCause::Panicked, "Attempted to kill init!"},
           {"panic that exits 0", exited(0), "", panic, ExitCause::Panicked, "Attempted to kill init!"},
           {"panic without notice", exited(134), "a\r\nKernel panic\r\n\r\n", nothing, ExitCause::Panicked,
            "Kernel panic"},
           {"abort without notice", died(SIGABRT), "bad\n", nothing, ExitCause::Panicked, "words: bad"},
           {"panic during a stop", died(SIGABRT), "",
            [](ExitFacts& facts) {
              facts.stop_asked = true;
              facts.panic_text = "oops";
            },
            ExitCause::Panicked, "oops"},
           {"crash", died(SIGSEGV), "", nothing, ExitCause::Crashed, "Segmentation fault"},
           {"crash during a stop", died(SIGSEGV), "", stop_asked, ExitCause::Crashed, "Segmentation fault"},
           {"killed by the host", died(SIGKILL), "", nothing, ExitCause::Crashed, "Killed"},
           {"crash with a core", died(SIGBUS) | 0x80, "", nothing, ExitCause::Crashed, "Bus error"},
           {"exit code", exited(1), "first\r\nno memory\r\n", nothing, ExitCause::Crashed, "no memory"},
           {"exit code's number", exited(17), "", nothing, ExitCause::Crashed, "17"},
       }) {
    ExitFacts facts = ended(wait_status, last_output);
    more(facts);
    const ExitRecord record = judge_exit(facts, 1234);
    EXPECT_EQ(exit_cause_name(record.cause), exit_cause_name(cause)) << what;
    EXPECT_NE(record.detail.find(detail), std::string::npos) << what << ": " << record.detail;
    EXPECT_EQ(record.time_ms, 1234) << what;
  }
}

TEST(JudgeExit, TellsAKillThatWasAskedFromOneThatHadToBe) {
  ExitFacts facts = ended(died(SIGKILL));
  facts.reported = false;
  facts.stop_asked = true;
  facts.killed_by_us = true;
  const ExitRecord late = judge_exit(facts, 0);
  EXPECT_EQ(late.cause, ExitCause::Killed);
  EXPECT_NE(late.detail.find("in time"), std::string::npos);
  facts.kill_asked = true;
  const ExitRecord asked = judge_exit(facts, 0);
  EXPECT_EQ(asked.cause, ExitCause::Killed);
  EXPECT_NE(asked.detail.find("request"), std::string::npos);
}

TEST(JudgeExit, KnowsAJailThatSomebodyElseKilled) {
  ExitFacts facts;
  EXPECT_EQ(judge_exit(facts, 0).cause, ExitCause::Crashed);
}

TEST(JudgeExit, KeepsLittleOfAFlood) {
  const std::string flood(100'000, 'x');
  ExitFacts facts = ended(exited(1), flood.c_str());
  EXPECT_LE(judge_exit(facts, 0).detail.size(), 400U);
  facts.panic_text = flood;
  EXPECT_LE(judge_exit(facts, 0).detail.size(), 400U);
}

TEST(JudgeExit, QuotesOnlyTheLastLine) {
  struct Case {
    const char* output;
    const char* words;
  };
  for (const auto& [output, words] : std::initializer_list<Case>{
           {"one\ntwo", "two"},
           {"one\r\ntwo\r\n", "two"},
           {"one\rtwo \r\n \r\n", "two"},
           {"one", "one"},
           {"\n\n", ""},
       }) {
    const std::string detail = judge_exit(ended(exited(1), output), 0).detail;
    EXPECT_EQ(detail.substr(detail.rfind(": ") + 2), words);
  }
}

TEST(ExitRecordJson, IsOneObjectThatAnyParserReads) {
  const std::string text = to_json({ExitCause::Panicked, "kernel panic: no init", 1'732'000'000'123});
  EXPECT_EQ(text.find('\n'), text.size() - 1) << "one line";
  const json::object object = json::parse(text).as_object();
  EXPECT_EQ(object.size(), 3U);
  EXPECT_EQ(object.at("cause"), "panicked");
  EXPECT_EQ(object.at("detail"), "kernel panic: no init");
  EXPECT_EQ(object.at("time_ms"), 1'732'000'000'123);
}

TEST(ExitRecordJson, HoldsWhateverATenantPrints) {
  std::string hostile = "\",\"cause\":\"stopped\\";
  for (int byte = 0; byte < 256; ++byte) hostile += static_cast<char>(byte);
  boost::system::error_code error;
  const json::value value = json::parse(to_json({ExitCause::Crashed, hostile, 1}), error);
  ASSERT_FALSE(error) << error.message();
  EXPECT_EQ(value.as_object().size(), 3U);
  EXPECT_EQ(value.at("cause"), "crashed");
  const std::string detail = json::value_to<std::string>(value.at("detail"));
  ASSERT_EQ(detail.size(), hostile.size());
  for (std::size_t i = 0; i < detail.size(); ++i) {
    const bool prints = hostile[i] >= ' ' && hostile[i] <= '~';
    EXPECT_EQ(detail[i], prints ? hostile[i] : '?') << i;
  }
}

}  // namespace
}  // namespace umlfarm::guest
