#include "provisioner/base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>

#include "provisioner/base/clock.h"

namespace umlfarm {
namespace {

constexpr Kind kAll[] = {Kind::NotFound, Kind::Invalid,     Kind::Conflict, Kind::QuotaExceeded,
                         Kind::Denied,   Kind::Unavailable, Kind::Timeout,  Kind::Internal};

TEST(Kind, NamesAndExitCodesAreUniqueAndReadBack) {
  std::set<int> codes;
  for (const Kind kind : kAll) {
    EXPECT_EQ(kind_from_name(kind_name(kind)), kind);
    EXPECT_TRUE(codes.insert(exit_code(kind)).second);
    EXPECT_GT(exit_code(kind), 2);
    EXPECT_GE(http_status(kind), 400);
  }
}

TEST(Error, TellsTheWholeChain) {
  const Error error = system_error("open /x", EACCES).context("create alice");
  EXPECT_EQ(error.kind(), Kind::Denied);
  EXPECT_EQ(error.message(), "create alice: open /x: Permission denied");
}

TEST(FormatDuration, ShowsTheTwoLargestUnits) {
  EXPECT_EQ(format_duration(8'000), "8s");
  EXPECT_EQ(format_duration(125'000), "2m5s");
  EXPECT_EQ(format_duration(7'500'000), "2h5m");
  EXPECT_EQ(format_duration(3 * 86'400'000LL + 4 * 3'600'000LL), "3d4h");
}

TEST(FormatTime, IsUtc) { EXPECT_EQ(format_time(0), "1970-01-01T00:00:00Z"); }

}  // namespace
}  // namespace umlfarm
