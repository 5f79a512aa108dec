#include "provisioner/base/result.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <set>

#include "tests/support/result_matchers.h"

namespace umlfarm {
namespace {

using testing::is_error;
using testing::is_ok;

constexpr Kind kAll[] = {Kind::NotFound, Kind::Invalid,     Kind::Conflict, Kind::QuotaExceeded,
                         Kind::Denied,   Kind::Unavailable, Kind::Timeout,  Kind::Internal};

TEST(Kind, NamesAndCodesAreUniqueAndReadBack) {
  std::set<std::string_view> names;
  std::set<int> codes;
  std::set<int> statuses;
  for (const Kind kind : kAll) {
    EXPECT_EQ(kind_from_name(kind_name(kind)), kind);
    EXPECT_TRUE(names.insert(kind_name(kind)).second) << kind_name(kind);
    EXPECT_TRUE(codes.insert(exit_code(kind)).second) << kind_name(kind);
    EXPECT_TRUE(statuses.insert(http_status(kind)).second) << kind_name(kind);
    EXPECT_GE(exit_code(kind), 3);
    EXPECT_LE(exit_code(kind), 10);
    EXPECT_GE(http_status(kind), 400);
    EXPECT_LE(http_status(kind), 599);
  }
}

TEST(Kind, OfANameThatANewerPeerKnowsIsInternal) {
  for (const char* name : {"", "teapot", "Conflict", "not_found "}) {
    EXPECT_EQ(kind_from_name(name), Kind::Internal) << name;
  }
}

TEST(SystemError, HasTheKindOfItsErrno) {
  const struct {
    int value;
    Kind kind;
  } rows[] = {{ENOENT, Kind::NotFound},    {EEXIST, Kind::Conflict},      {EACCES, Kind::Denied},
              {EPERM, Kind::Denied},       {ENOSPC, Kind::QuotaExceeded}, {EDQUOT, Kind::QuotaExceeded},
              {ETIMEDOUT, Kind::Timeout},  {EINVAL, Kind::Invalid},       {EIO, Kind::Internal},
              {ECONNRESET, Kind::Internal}};
  for (const auto& row : rows) {
    const Error error = system_error("open /x", row.value);
    EXPECT_EQ(error.kind(), row.kind) << error.message();
    EXPECT_EQ(error.code(), std::error_code(row.value, std::generic_category()));
    errno = row.value;
    EXPECT_EQ(system_error("open /x").kind(), row.kind) << error.message();
  }
}

TEST(Error, TellsTheWholeChain) {
  const Error error = system_error("open /x", EACCES).context("read key").context("create alice");
  EXPECT_EQ(error.kind(), Kind::Denied);
  EXPECT_EQ(error.message(), "create alice: read key: open /x: Permission denied");
  EXPECT_FALSE(Error(Kind::Invalid, "no reason").code());
  EXPECT_EQ(Error(Kind::Invalid, "no reason").message(), "no reason");
}

TEST(Result, HoldsAValueOrAnError) {
  const Result<int> good = 7;
  EXPECT_TRUE(good);
  EXPECT_EQ(*good, 7);
  EXPECT_EQ(good.value_or(1), 7);
  const Result<int> bad = Error(Kind::Timeout, "late");
  EXPECT_FALSE(bad);
  EXPECT_EQ(bad.error().kind(), Kind::Timeout);
  EXPECT_EQ(bad.value_or(1), 1);
}

TEST(Result, GivesUpAValueThatCannotBeCopied) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  const std::unique_ptr<int> taken = *std::move(result);
  ASSERT_NE(taken, nullptr);
  EXPECT_EQ(*taken, 7);
}

TEST(Status, IsSuccessByDefault) {
  EXPECT_THAT(Status(), is_ok());
  EXPECT_THAT(Status(Error(Kind::Denied, "no")), is_error(Kind::Denied, "no"));
}

Status tried(const Status& status, int& evaluated, int& after) {
  UMLFARM_TRY((++evaluated, status));
  ++after;
  return {};
}

TEST(Try, EvaluatesOnceAndReturnsTheErrorAlone) {
  int evaluated = 0;
  int after = 0;
  EXPECT_THAT(tried({}, evaluated, after), is_ok());
  EXPECT_EQ(evaluated, 1);
  EXPECT_EQ(after, 1);
  EXPECT_THAT(tried(system_error("open /x", EACCES), evaluated, after), is_error(Kind::Denied, "open /x"));
  EXPECT_EQ(evaluated, 2);
  EXPECT_EQ(after, 1);
}

TEST(Try, TakesAResultWhoseValueNobodyWants) {
  const auto run = [](const Result<int>& result) -> Result<std::string> {
    UMLFARM_TRY(result);
    return std::string("went on");
  };
  EXPECT_EQ(run(7).value_or(""), "went on");
  EXPECT_THAT(run(Error(Kind::Conflict, "held")), is_error(Kind::Conflict, "held"));
}

TEST(Try, IsOneStatement) {
  const auto run = [](bool really) -> Status {
    if (really)
      UMLFARM_TRY(Status(Error(Kind::Conflict, "held")));
    else
      return Error(Kind::Denied, "no");
    return {};
  };
  EXPECT_THAT(run(true), is_error(Kind::Conflict, "held"));
  EXPECT_THAT(run(false), is_error(Kind::Denied, "no"));
}

Result<std::unique_ptr<int>> sum(int& calls, Result<std::unique_ptr<int>> a, Result<std::unique_ptr<int>> b) {
  UMLFARM_ASSIGN(const std::unique_ptr<int> first, (++calls, std::move(a)));
  UMLFARM_ASSIGN(auto second, (++calls, std::move(b)));
  return std::make_unique<int>(*first + *second);
}

TEST(Assign, MovesValuesOutAndReturnsTheFirstError) {
  const auto number = [](int value) { return Result(std::make_unique<int>(value)); };
  int calls = 0;
  const auto good = sum(calls, number(3), number(4));
  ASSERT_THAT(good, is_ok());
  EXPECT_EQ(**good, 7);
  EXPECT_EQ(calls, 2);
  EXPECT_THAT(sum(calls, Error(Kind::NotFound, "a"), Error(Kind::Invalid, "b")),
              is_error(Kind::NotFound, "a"));
  EXPECT_EQ(calls, 3);
  EXPECT_THAT(sum(calls, number(3), Error(Kind::Invalid, "b")), is_error(Kind::Invalid, "b"));
}

TEST(Assign, AssignsToWhatIsThere) {
  const auto run = [](const Result<int>& result, int& to) -> Status {
    UMLFARM_ASSIGN(to, result);
    return {};
  };
  int value = 1;
  EXPECT_THAT(run(7, value), is_ok());
  EXPECT_EQ(value, 7);
  EXPECT_THAT(run(Error(Kind::Invalid, "b"), value), is_error(Kind::Invalid, "b"));
  EXPECT_EQ(value, 7);
}

}  // namespace
}  // namespace umlfarm
