#include "quota/ledger.h"

#include <gtest/gtest.h>

#include "tests/support/result_matchers.h"

namespace umlfarm::quota {
namespace {

using umlfarm::testing::is_error;
using umlfarm::testing::is_ok;

constexpr Limits kSmall{ByteSize::mib(60), ByteSize::gib(1), ByteSize(0), 512};
constexpr Capacity kHost{ByteSize::mib(640), ByteSize::gib(100)};

TEST(Ledger, FillsTheHostToTheLastGuestAndNoFurther) {
  Promised promised;
  for (int guest = 0; guest < 10; ++guest) {
    const auto next = reserve(kHost, promised, kSmall, 1);
    ASSERT_THAT(next, is_ok()) << guest;
    promised = *next;
  }
  EXPECT_EQ(promised.memory, kHost.memory);
  EXPECT_THAT(reserve(kHost, promised, kSmall, 1), is_error(Kind::QuotaExceeded, "memory: 1 x 64 MiB asked"));
}

TEST(Ledger, AdmitsABatchAsAWholeOrNotAtAll) {
  EXPECT_THAT(reserve(kHost, {}, kSmall, 10), is_ok());
  EXPECT_THAT(reserve(kHost, {}, kSmall, 11), is_error(Kind::QuotaExceeded, "640 MiB left"));
}

TEST(Ledger, NamesTheDiskWhenTheDiskIsShort) {
  Limits wide = kSmall;
  wide.disk = ByteSize::gib(60);
  EXPECT_THAT(reserve(kHost, {}, wide, 2), is_error(Kind::QuotaExceeded, "disk"));
}

TEST(Ledger, DoesNotOverflow) {
  Limits huge = kSmall;
  huge.disk = kMostDisk;
  EXPECT_THAT(reserve(kHost, {}, huge, 4'000'000'000U), is_error(Kind::QuotaExceeded, "memory"));
}

TEST(Ledger, StaysRefusingWhenMoreIsPromisedThanThereIs) {
  EXPECT_THAT(reserve(kHost, {ByteSize::gib(1), ByteSize(0)}, kSmall, 1),
              is_error(Kind::QuotaExceeded, "0 B of"));
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
}

}  // namespace
}  // namespace umlfarm::quota
