#include "guest/probe/verdict.h"

#include <gmock/gmock.h>

namespace umlfarm::guest {
namespace {

using ::testing::HasSubstr;

const std::string kGood = "boot\nprobe: alive\nprobe: narrow works\nprobe: wide works\nreboot: Power down\n";

ProbeFacts facts(const std::string& console) {
  ProbeFacts facts;
  facts.console = console;
  return facts;
}

TEST(Verdict, IsOkOnlyWhereAllWorked) {
  EXPECT_EQ(judge(facts(kGood)).reason, "ok");
  EXPECT_EQ(judge(facts("probe: alive\nprobe: narrow works\nprobe: wide missing\n")).reason, "ok");
  for (const char* console :
       {"", "boot\n", "probe: alive\n", "probe: alive\nprobe: narrow works\n",
        "probe: alive\nprobe: narrow fails\nprobe: wide works\n", "probe: wide works\n"}) {
    EXPECT_EQ(judge(facts(console)).reason, "unknown") << console;
  }
}

TEST(Verdict, NamesTheWideRegisters) {
  EXPECT_EQ(judge(facts("probe: alive\nprobe: narrow works\nprobe: wide fails\n")).reason, "wide-registers");
}

TEST(Verdict, TellsOneThatDoesNotEnd) {
  ProbeFacts stuck = facts(kGood);
  stuck.in_time = false;
  EXPECT_EQ(judge(stuck).reason, "stuck");
  EXPECT_THAT(judge(stuck).words, HasSubstr("'reboot: Power down'"));
}

TEST(Verdict, LooksForACauseOnlyWhereNoGuestRuns) {
  ProbeFacts good = facts(kGood);
  good.ptrace_scope = 3;
  good.filtered = true;
  good.memfd_noexec = 2;
  EXPECT_EQ(judge(good).reason, "ok");

  ProbeFacts bad = facts("check_ptrace failed");
  bad.ptrace_scope = 2;
  EXPECT_EQ(judge(bad).reason, "yama");
  bad.seccomp = true;
  EXPECT_EQ(judge(bad).reason, "unknown") << "which Yama is not in the way of";
  bad.memfd_noexec = 2;
  EXPECT_EQ(judge(bad).reason, "memfd");
  bad.filtered = true;
  EXPECT_EQ(judge(bad).reason, "outer-seccomp");
}

TEST(Verdict, SaysThatSeccompIsNotToBeHad) {
  ProbeFacts bad = facts("SECCOMP userspace requested but not functional!\n");
  bad.seccomp = true;
  EXPECT_EQ(judge(bad).reason, "no-seccomp");
}

TEST(Verdict, SaysWhereTheJailFailed) {
  ProbeFacts refused;
  refused.refused = "mount /proc: Operation not permitted";
  EXPECT_EQ(judge(refused).reason, "jail");
  EXPECT_THAT(judge(refused).words, HasSubstr("mount /proc"));
  refused.filtered = true;
  EXPECT_EQ(judge(refused).reason, "outer-seccomp");
}

TEST(Verdict, ShowsLastWordsThatHarmNoTerminal) {
  EXPECT_THAT(judge(facts("one\n\x1b[2Jtwo\r\n\n")).words, HasSubstr("'?[2Jtwo'"));
  EXPECT_THAT(judge(facts("\n\n")).words, HasSubstr("nothing"));
}

}  // namespace
}  // namespace umlfarm::guest
