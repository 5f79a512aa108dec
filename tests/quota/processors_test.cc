#include "quota/processors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

namespace umlfarm::quota {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST(Processors, SpreadsGuestsEvenly) {
  Processors processors({2, 5, 7});
  std::map<int, int> load;
  for (int guest = 0; guest < 10; ++guest) ++load[processors.assign("g" + std::to_string(guest), 1).front()];
  EXPECT_EQ(load.size(), 3U);
  for (const int processor : {2, 5, 7}) EXPECT_THAT(load[processor], ::testing::AnyOf(3, 4)) << processor;
}

TEST(Processors, KeepsAGuestWhereItIs) {
  Processors processors({0, 1});
  const std::vector<int> first = processors.assign("g1", 1);
  processors.assign("g2", 1);
  processors.assign("g3", 1);
  EXPECT_EQ(processors.assign("g1", 1), first);
  EXPECT_EQ(processors.of("g1"), first);
}

TEST(Processors, FillsThePlaceOfAGuestThatWent) {
  Processors processors({0, 1});
  const std::vector<int> first = processors.assign("g1", 1);
  processors.assign("g2", 1);
  processors.release("g1");
  EXPECT_THAT(processors.of("g1"), IsEmpty());
  EXPECT_EQ(processors.assign("g3", 1), first);
  processors.release("unknown");
}

TEST(Processors, BelievesWhatASupervisorSays) {
  Processors processors({0, 1});
  processors.learn("g1", {0});
  EXPECT_THAT(processors.assign("g2", 1), ElementsAre(1));
  processors.learn("g2", {});
  EXPECT_THAT(processors.of("g2"), ElementsAre(1)) << "that is no news";
  processors.learn("g2", {0});
  EXPECT_THAT(processors.of("g2"), ElementsAre(0));
  EXPECT_THAT(processors.assign("g3", 1), ElementsAre(1));
  processors.learn("g4", {9});
  EXPECT_THAT(processors.assign("g4", 1), ElementsAre(9)) << "it runs there, whether the daemon may or not";
}

TEST(Processors, GivesAGuestOfManyTheLeastUsed) {
  Processors processors({0, 1, 2, 3});
  processors.learn("g1", {1});
  processors.learn("g2", {2, 3});
  processors.learn("g3", {3});
  EXPECT_THAT(processors.assign("g4", 3), ElementsAre(0, 1, 2));
  EXPECT_THAT(processors.assign("g5", 9), UnorderedElementsAre(0, 1, 2, 3)) << "more than there are";
}

TEST(Processors, HasNoneToGiveWhereThereIsNone) {
  Processors processors({});
  EXPECT_THAT(processors.assign("g1", 1), IsEmpty());
  EXPECT_THAT(processors.of("g1"), IsEmpty());
}

TEST(Processors, AvailableAreThoseThatThisProcessMayUse) {
  cpu_set_t before;
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  const std::vector<int> all = Processors::available();
  EXPECT_EQ(all.size(), static_cast<std::size_t>(CPU_COUNT(&before)));
  ASSERT_FALSE(all.empty());
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<unsigned>(all.back()), &one);
  ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_THAT(Processors::available(), ::testing::ElementsAre(all.back()));
  EXPECT_EQ(::sched_setaffinity(0, sizeof before, &before), 0);
}

}  // namespace
}  // namespace umlfarm::quota
