#include "hostsetup/report.h"

#include <boost/json.hpp>

#include "provisioner/base/posix.h"
#include "tests/hostsetup/fake_machine.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::hostsetup {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::vector<Answer> answers_of(const FakeMachine& host) { return inspect(host.context()).value(); }

TEST(Report, TellsWhatFailsAndTheWayOut) {
  FakeMachine host;
  host.write("/proc/sys/kernel/yama/ptrace_scope", "2\n");
  host.write("/proc/swaps", "Filename\n/dev/vdb partition\n");
  host.profile.exceptions["memory.swap"] = "encrypted";
  const std::string text = inspection_text(answers_of(host));
  EXPECT_THAT(text, HasSubstr("kernel.yama             fails     2 "));
  EXPECT_THAT(text, HasSubstr("\nkernel.yama: too-high\n  Why: "));
  EXPECT_THAT(text, HasSubstr("memory.swap: excepted: encrypted"));
  const std::string failures = failures_text(answers_of(host));
  EXPECT_THAT(failures, HasSubstr("kernel.yama: too-high (must hold): found 2, wanted at most 1; "));
  EXPECT_THAT(failures, Not(HasSubstr("memory.swap")));
}

TEST(Report, GivesProgramsTypedReasons) {
  FakeMachine host;
  host.write("/proc/sys/kernel/yama/ptrace_scope", "2\n");
  const auto json = inspection_json(host.profile, answers_of(host));
  EXPECT_EQ(json.at("profile").as_string(), "vps");
  const auto& first = json.at("checks").as_array().at(2);
  EXPECT_EQ(first.at("check").as_string(), "kernel.yama");
  EXPECT_EQ(first.at("state").as_string(), "fails");
  EXPECT_EQ(first.at("reason").as_string(), "too-high");
  EXPECT_EQ(json.at("checks").as_array().size(), all_checks().size());
}

TEST(Report, ShowsAPlanAndWhatIsLeftToAPerson) {
  FakeMachine host;
  host.write("/etc/passwd", "bob:x:2000001:100::/:/bin/sh\n");
  const Plan plan{
      {{{Sort::Setting, "/proc/sys/kernel/pid_max"}, "1", "2", false}}, {}, {{Sort::File, "/etc/x"}}};
  EXPECT_THAT(
      plan_text(plan, answers_of(host)),
      HasSubstr("setting /proc/sys/kernel/pid_max\n- 1\n+ 2\nleft alone, as others changed it since: file "
                "/etc/x\nby hand: users.range: set first_uid = 3000000"));
  EXPECT_EQ(plan_text({}, {}), "nothing to change\n");
  const auto json = plan_json(plan, answers_of(host));
  EXPECT_EQ(json.at("steps").at(0).at("wanted").as_string(), "2");
  EXPECT_EQ(json.at("by_hand").at(0).at("reason").as_string(), "collision");
}

TEST(Report, ExplainsEachCheck) {
  EXPECT_THAT(explanation("kernel.yama"), HasSubstr("kernel.yama (must): "));
  EXPECT_THAT(explanation("kernel.yama"), Not(HasSubstr("kernel.memfd")));
  EXPECT_EQ(explanation("moon"), "");
  for (const Check& check : all_checks()) EXPECT_THAT(explanation(""), HasSubstr(check.name + " ("));
}

TEST(Report, IsTheChecklistOfTheDocuments) {
  const std::string page =
      posix::read_file(std::string(UMLFARM_SOURCE_DIRECTORY) + "/deploy/docs/hosts.md").value_or("");
  for (const Check& check : all_checks()) {
    EXPECT_THAT(page, HasSubstr("- [ ] `" + check.name + "` (" + severity_name(check.severity) +
                                "): " + check.title));
  }
}

}  // namespace
}  // namespace umlfarm::hostsetup
