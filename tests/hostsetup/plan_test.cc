#include "hostsetup/plan.h"

#include "tests/hostsetup/fake_machine.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::hostsetup {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::is_ok;
using ::testing::IsEmpty;

const Place kPids{Sort::Setting, "/proc/sys/kernel/pid_max"};
const Place kFile{Sort::File, "/etc/sysctl.d/99-umlfarm.conf"};
const Place kDirectory{Sort::Directory, "/var/lib/new"};

class PlanTest : public ::testing::Test {
 protected:
  PlanTest() { host_.write("/proc/sys/kernel/pid_max", "32768\n"); }

  Plan plan(const std::vector<Change>& wanted) {
    const auto made = make_plan(host_.machine(), record(), wanted);
    EXPECT_THAT(made, is_ok());
    return *made;
  }
  Record record() { return load_record(host_.machine()).value_or(Record()); }
  Outcome carry(const std::vector<Change>& wanted) {
    return carry_out(host_.machine(), record(), plan(wanted), [](const Step&) {});
  }

  const std::vector<Change> wanted_{
      {kDirectory, "0711 0:0"}, {kFile, file_standing("a = 1\n")}, {kPids, "99999"}};
  FakeMachine host_;
};

TEST_F(PlanTest, GoesThereAndBack) {
  EXPECT_EQ(plan(wanted_).steps.size(), 3U);
  EXPECT_THAT(carry(wanted_).failed, IsEmpty());
  EXPECT_EQ(host_.read(kPids.name), "99999");
  EXPECT_EQ(host_.read(kFile.name), "a = 1\n");
  EXPECT_THAT(plan(wanted_).steps, IsEmpty());
  EXPECT_EQ(record().size(), 3U);

  const Plan back = plan({});
  ASSERT_EQ(back.steps.size(), 3U);
  EXPECT_EQ(back.steps[0].place, kPids) << "last first";
  EXPECT_THAT(carry({}).failed, IsEmpty());
  EXPECT_EQ(host_.read(kPids.name), "32768");
  EXPECT_FALSE(host_.machine().has(kFile.name));
  EXPECT_FALSE(host_.machine().has(kDirectory.name));
  EXPECT_FALSE(host_.machine().has(kRecordDirectory)) << "with nothing to remember";
}

TEST_F(PlanTest, TakesBackWhatIsNotWantedAnyMore) {
  EXPECT_THAT(carry(wanted_).failed, IsEmpty());
  EXPECT_THAT(carry({wanted_[1]}).failed, IsEmpty());
  EXPECT_EQ(host_.read(kPids.name), "32768");
  EXPECT_EQ(host_.read(kFile.name), "a = 1\n");
  EXPECT_EQ(record().size(), 1U);
}

TEST_F(PlanTest, LeavesAloneWhatOthersChangedSince) {
  EXPECT_THAT(carry(wanted_).failed, IsEmpty());
  host_.write(kPids.name, "70000\n");
  const Plan back = plan({});
  EXPECT_THAT(back.left, ElementsAre(kPids));
  EXPECT_THAT(carry({}).failed, IsEmpty());
  EXPECT_EQ(host_.read(kPids.name), "70000\n");
  EXPECT_THAT(record(), IsEmpty());
}

TEST_F(PlanTest, RemembersWhatOthersPutThereBetweenTwoRuns) {
  EXPECT_THAT(carry({{kPids, "99999"}}).failed, IsEmpty());
  host_.write(kPids.name, "70000\n");
  EXPECT_THAT(carry({{kPids, "120000"}}).failed, IsEmpty());
  EXPECT_THAT(carry({}).failed, IsEmpty());
  EXPECT_EQ(host_.read(kPids.name), "70000");
}

TEST_F(PlanTest, RemembersTheFirstOverTwoOfOurs) {
  EXPECT_THAT(carry({{kPids, "99999"}}).failed, IsEmpty());
  EXPECT_THAT(carry({{kPids, "120000"}}).failed, IsEmpty());
  EXPECT_THAT(carry({}).failed, IsEmpty());
  EXPECT_EQ(host_.read(kPids.name), "32768");
}

TEST_F(PlanTest, EndsAtTheFirstFailureOnTheWayThere) {
  host_.answers("systemctl is-active u", "inactive\n", 3);
  host_.answers("systemctl daemon-reload", "");
  host_.answers("systemctl start u", "no such luck\n", 1);
  const Outcome outcome = carry({wanted_[0], {{Sort::Running, "u"}, "active"}, wanted_[2]});
  EXPECT_EQ(outcome.done, 1U);
  EXPECT_THAT(outcome.failed, ElementsAre(HasSubstr("no such luck")));
  EXPECT_EQ(host_.read(kPids.name), "32768\n");
  EXPECT_THAT(carry({}).failed, IsEmpty()) << "and what was not done is no trouble on the way back";
  EXPECT_FALSE(host_.machine().has(kDirectory.name));
}

TEST_F(PlanTest, GoesOnAfterAFailureOnTheWayBack) {
  host_.answers("systemctl is-active u", "active\n");
  host_.answers("systemctl daemon-reload", "");
  EXPECT_THAT(save_record(host_.machine(), {{{Sort::Running, "u"}, "inactive", "active"}}), is_ok());
  auto all = wanted_;
  all.push_back({{Sort::Running, "u"}, "active"});
  EXPECT_THAT(carry(all).failed, IsEmpty());
  host_.answers("systemctl stop u", "it hangs\n", 1);
  const Outcome outcome = carry({});
  EXPECT_THAT(outcome.failed, ElementsAre(HasSubstr("it hangs")));
  EXPECT_EQ(host_.read(kPids.name), "32768");
  EXPECT_EQ(record().size(), 1U) << "the unit is still ours";
}

TEST_F(PlanTest, LeavesADirectoryInWhichOthersHaveSomething) {
  EXPECT_THAT(carry(wanted_).failed, IsEmpty());
  host_.write(kDirectory.name + "/kept", "x");
  const Outcome outcome = carry({});
  EXPECT_THAT(outcome.failed, IsEmpty());
  EXPECT_THAT(outcome.left, ElementsAre(HasSubstr("not ours")));
  EXPECT_TRUE(host_.machine().has(kDirectory.name + "/kept"));
  EXPECT_THAT(record(), IsEmpty());
}

TEST_F(PlanTest, LeavesWhatHasBecomeSomethingElse) {
  EXPECT_THAT(carry(wanted_).failed, IsEmpty());
  host_.remove(kFile.name);
  host_.write(kFile.name + "/x", "x");
  EXPECT_THAT(carry({}).failed, IsEmpty());
  EXPECT_TRUE(host_.machine().has(kFile.name + "/x"));
  EXPECT_EQ(host_.read(kPids.name), "32768");
}

TEST_F(PlanTest, NoticesWhatDoesNotStay) {
  host_.answers("systemctl is-active u", "inactive\n", 3);
  host_.answers("systemctl daemon-reload", "");
  host_.answers("systemctl start u", "");
  EXPECT_THAT(carry({{{Sort::Running, "u"}, "active"}}).failed,
              ElementsAre(HasSubstr("it stays 'inactive'")));
}

TEST_F(PlanTest, KnowsWhatItPutThereBeforeARunThatWasKilled) {
  EXPECT_THAT(carry({{kPids, "99999"}}).failed, IsEmpty());
  // It was about to change it, and died.
  EXPECT_THAT(save_record(host_.machine(), noted(record(), kPids, "99999", "120000")), is_ok());
  EXPECT_THAT(carry({}).failed, IsEmpty());
  EXPECT_EQ(host_.read(kPids.name), "32768");
}

TEST_F(PlanTest, IsShownAsADiff) {
  EXPECT_EQ(as_diff({kPids, "32768", "99999"}), "setting /proc/sys/kernel/pid_max\n- 32768\n+ 99999\n");
  EXPECT_EQ(as_diff({kFile, {}, "0644 0:0\na\nb\n"}),
            "file /etc/sysctl.d/99-umlfarm.conf\n+ 0644 0:0\n+ a\n+ b\n");
  EXPECT_EQ(as_diff({kFile, "0644 0:0\na\nb\nc\n", "0644 0:0\na\nx\ny\nc\n"}),
            "file /etc/sysctl.d/99-umlfarm.conf\n- b\n+ x\n+ y\n");
  EXPECT_EQ(as_diff({kFile, "0644 0:0\na\na\n", "0644 0:0\na\n"}),
            "file /etc/sysctl.d/99-umlfarm.conf\n- a\n");
  EXPECT_EQ(as_diff({kDirectory, "0711 0:0", {}}), "directory /var/lib/new\n- 0711 0:0\n");
}

}  // namespace
}  // namespace umlfarm::hostsetup
