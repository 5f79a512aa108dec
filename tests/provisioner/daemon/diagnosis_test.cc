#include "provisioner/daemon/diagnosis.h"

#include <gmock/gmock.h>

namespace umlfarm::daemon {
namespace {

using ::testing::HasSubstr;

Vitals well() {
  Vitals vitals;
  vitals.guests = {{"ready", {"a", "b"}}, {"stopped", {"c"}}, {"suspended", {"d"}}, {"starting", {"e"}}};
  vitals.host.memory = ByteSize::gib(10);
  vitals.host.disk = ByteSize::gib(100);
  vitals.load.memory_used = ByteSize::gib(9);
  vitals.load.disk_used = ByteSize::gib(89);
  vitals.promised[quota::Resource::Guests] = 5;
  vitals.addresses = 100;
  vitals.users = 100;
  return vitals;
}

TEST(Diagnosis, OfAFarmThatIsWellIsNothing) {
  EXPECT_TRUE(diagnose(well()).empty());
  EXPECT_TRUE(diagnose({}).empty()) << "nothing is known of this host";
}

TEST(Diagnosis, NamesEachProblemAndWhatToDoFirst) {
  Vitals vitals = well();
  const auto only = [&]() -> Problem {
    const std::vector<Problem> problems = diagnose(vitals);
    EXPECT_EQ(problems.size(), 1U);
    vitals = well();
    return problems.empty() ? Problem() : problems.front();
  };
  vitals.load.disk_used = ByteSize::gib(90);
  EXPECT_THAT(only().what, HasSubstr("90 % full"));
  vitals.load.memory_used = ByteSize::mib(9800);
  EXPECT_THAT(only().what, HasSubstr("memory is 95 % used"));
  vitals.guests["failed"] = {"x"};
  const Problem failed = only();
  EXPECT_THAT(failed.what, HasSubstr("1 guest (x) failed"));
  EXPECT_THAT(failed.remedy, HasSubstr("umlfarm show x"));
  vitals.guests["unhealthy"] = {"1", "2", "3", "4", "5", "6"};
  EXPECT_THAT(only().what, HasSubstr("6 guests (1, 2, 3, 4, 5, ...) do not answer"));
  vitals.promised[quota::Resource::Guests] = 90;
  vitals.addresses = 1000;
  EXPECT_THAT(only().remedy, HasSubstr("uids"));
}

TEST(Diagnosis, BeginsWithWhatHoldsUpMost) {
  Vitals vitals = well();
  vitals.load.disk_used = ByteSize::gib(100);
  vitals.waiting = {"a"};
  vitals.guests["failed"] = {"x"};
  const std::vector<Problem> problems = diagnose(vitals);
  ASSERT_EQ(problems.size(), 2U);
  EXPECT_THAT(problems[0].what,
              HasSubstr("1 guest (a) wait for room on the host's disk, which is 100 % full"));
}

}  // namespace
}  // namespace umlfarm::daemon
