#include "quota/capacity.h"

#include <gtest/gtest.h>

#include "quota/cost.h"
#include "quota/limits.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::quota {
namespace {

using umlfarm::testing::is_error;
using umlfarm::testing::is_ok;

TEST(Capacity, IsWhatThereIsLessTheReserveTimesThePercentage) {
  HostCapacity host;
  host.memory = ByteSize::gib(24);
  host.memory_of_domains = ByteSize::gib(3);
  host.disk = ByteSize::gib(100);
  host.processors = 3;
  Overcommit overcommit;
  overcommit.memory_reserve = ByteSize::gib(1);
  overcommit.memory_percent = 150;
  overcommit.disk_reserve = ByteSize::gib(10);
  overcommit.disk_percent = 200;
  overcommit.processors_percent = 350;
  const Bounds bounds = bounds_of(host, overcommit);
  EXPECT_EQ(bounds[Resource::Memory], ByteSize::gib(30).bytes());
  EXPECT_EQ(bounds[Resource::Disk], ByteSize::gib(180).bytes());
  EXPECT_EQ(bounds[Resource::Processors], 10U) << "half a processor is none";
  EXPECT_EQ(bounds[Resource::Guests], kUnlimited);
}

TEST(Capacity, IsNothingWhereTheReserveIsAll) {
  EXPECT_EQ((Share{100, 60, 50, 1000}.most()), 0U);
  EXPECT_EQ((Share{100, 0, 100, 1000}.most()), 0U);
}

TEST(Capacity, DoesNotOverflow) {
  EXPECT_EQ((Share{UINT64_MAX, 0, 0, 1'000'000}.most()), kUnlimited);
  EXPECT_EQ((Share{199, 0, 0, 1}.most()), 1U);
  EXPECT_EQ((Share{199, 0, 0, 99}.most()), 197U);
}

constexpr const char* kPrinted =
    R"({"memory":{"total":25276026880,"free":1024},"processors":2,"cells":[{"total":100},{}],)"
    R"("domains":{"count":2,"memory":4096}})";

TEST(HostByLibvirt, TakesWhatTheProgramPrints) {
  HostCapacity by_proc;
  by_proc.memory = ByteSize::gib(1);
  by_proc.processors = 7;
  const auto host = host_by_libvirt(by_proc, "qemu:///embed", kPrinted);
  ASSERT_THAT(host, is_ok());
  EXPECT_EQ(host->memory.bytes(), 25'276'026'880U);
  EXPECT_EQ(host->processors, 2U);
  ASSERT_EQ(host->cells.size(), 2U);
  EXPECT_EQ(host->cells[0].bytes(), 100U);
  EXPECT_EQ(host->domains, 2U);
  EXPECT_EQ(host->memory_of_domains.bytes(), 4096U);
  EXPECT_EQ(host->source, "qemu:///embed");
}

TEST(HostByLibvirt, KeepsTheKernelsWordWhereTheDriverHasNone) {
  HostCapacity by_proc;
  by_proc.memory = ByteSize::gib(1);
  const auto host =
      host_by_libvirt(by_proc, "test:///default",
                      R"({"memory":{},"processors":16,"cells":[],"domains":{"count":0,"memory":0}})");
  ASSERT_THAT(host, is_ok());
  EXPECT_EQ(host->memory, ByteSize::gib(1));
  EXPECT_EQ(host->processors, 16U);
}

TEST(HostByLibvirt, RefusesWhatTheProgramDoesNotPrint) {
  for (const char* const printed :
       {"", "{", "[]", R"({"memory":{}})",
        R"({"memory":{"total":-1},"processors":1,"cells":[],"domains":{}})",
        R"({"memory":{},"processors":"two","cells":[],"domains":{"count":0,"memory":0}})"}) {
    EXPECT_THAT(host_by_libvirt({}, "u", printed), is_error(Kind::Invalid, "libvirt's account")) << printed;
  }
}

constexpr Limits kSmall{ByteSize::mib(64), ByteSize::gib(1), ByteSize::mib(128), 100, 2};

TEST(Cost, ChargesTheHostForAllThatAGuestMayCostIt) {
  const Sums charges = charges_of({"physics", ""}, kSmall);
  EXPECT_EQ(charges.size(), 2U);
  EXPECT_GT(charges.at("host")[Resource::Memory], group_memory(kSmall).bytes());
  EXPECT_EQ(charges.at("host")[Resource::Disk], (ByteSize::gib(1) + ByteSize::mib(128)).bytes());
}

TEST(Cost, ChargesTenantAndUserForWhatIsSold) {
  const Sums charges = charges_of({"physics", "alice"}, kSmall);
  for (const char* const account : {"tenant physics", "user physics/alice"}) {
    EXPECT_EQ(charges.at(account)[Resource::Memory], ByteSize::mib(64).bytes()) << account;
    EXPECT_EQ(charges.at(account)[Resource::Processors], 2U) << account;
    EXPECT_EQ(charges.at(account)[Resource::Guests], 1U) << account;
  }
}

TEST(Cost, OfACeilingIsItsListOfPagesUntilItIsUsed) {
  Limits wide = kSmall;
  wide.memory_ceiling = ByteSize::mib(64 + 256);
  EXPECT_EQ(group_memory(wide).bytes(), (group_memory(kSmall) + ByteSize::mib(4)).bytes());
  EXPECT_EQ(memory_file_size(wide).bytes(), (memory_file_size(kSmall) + ByteSize::mib(256)).bytes());
}

TEST(Cost, IsOfWhatTheHostGives) {
  Limits given = kSmall;
  given.host_memory = ByteSize::mib(32);
  EXPECT_EQ(group_memory(given) + ByteSize::mib(32), group_memory(kSmall));
  EXPECT_EQ(memory_file_size(given), memory_file_size(kSmall));
  EXPECT_EQ(charges_of({"physics", ""}, given).at("tenant physics")[Resource::Memory],
            ByteSize::mib(32).bytes());
  // More than it has is all that it has.
  given.host_memory = ByteSize::mib(640);
  EXPECT_EQ(group_memory(given), group_memory(kSmall));
  // The list of its pages is among what it is given.
  given.host_memory = ByteSize::mib(32);
  given.memory_ceiling = ByteSize::mib(320);
  EXPECT_EQ(group_memory(given) + ByteSize::mib(32), group_memory(kSmall));
}

TEST(CheckLimits, RefusesAGuestThatCouldNotBoot) {
  Limits limits = kSmall;
  limits.memory = ByteSize::gib(64);
  limits.host_memory = ByteSize::gib(4);
  EXPECT_THAT(check_limits(limits), is_ok());
  limits.host_memory = ByteSize::gib(1);
  EXPECT_THAT(check_limits(limits), is_error(Kind::Invalid, "host memory of 1 GiB"));
}

TEST(CheckLimits, RefusesWhatNoGuestCanHave) {
  for (const ByteSize memory :
       {ByteSize(0), ByteSize::mib(15), ByteSize::gib(65), ByteSize(ByteSize::mib(64).bytes() + 1)}) {
    Limits limits = kSmall;
    limits.memory = memory;
    EXPECT_THAT(check_limits(limits), is_error(Kind::Invalid, "memory")) << memory.str();
  }
  for (const ByteSize disk : {ByteSize(0), ByteSize::gib(8192)}) {
    Limits limits = kSmall;
    limits.disk = disk;
    EXPECT_THAT(check_limits(limits), is_error(Kind::Invalid, "disk")) << disk.str();
  }
  for (const ByteSize ceiling : {ByteSize::gib(65), ByteSize(ByteSize::mib(64).bytes() + 1)}) {
    Limits limits = kSmall;
    limits.memory_ceiling = ceiling;
    EXPECT_THAT(check_limits(limits), is_error(Kind::Invalid, "memory ceiling")) << ceiling.str();
  }
  for (const unsigned weight : {0U, 10'001U}) {
    Limits limits = kSmall;
    limits.cpu_weight = weight;
    EXPECT_THAT(check_limits(limits), is_error(Kind::Invalid, "cpu weight")) << weight;
  }
}

}  // namespace
}  // namespace umlfarm::quota
