#include "quota/limit_fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/support/result_matchers.h"

namespace umlfarm::quota {
namespace {

using testing::is_error;
using testing::is_ok;

// Another value than the default, of each field's kind.
LimitValue other(const LimitField& field) {
  return std::visit(
      [](auto member) -> LimitValue {
        using Value = std::remove_cvref_t<decltype(Limits().*member)>;
        if constexpr (std::is_same_v<Value, TrafficEnd>) {
          return TrafficEnd::Stop;
        } else {
          return Value(7'000'000);
        }
      },
      field.member);
}

TEST(LimitFields, SurviveBeingKept) {
  Limits limits;
  for (const LimitField& field : limit_fields()) {
    Limits one;
    set_value(one, field, other(field));
    EXPECT_NE(one, Limits()) << field.name;
    EXPECT_EQ(value_of(limits_from_json(to_json(one)), field), other(field)) << field.name;
    set_value(limits, field, other(field));
  }
  EXPECT_EQ(limits_from_json(to_json(limits)), limits);
}

TEST(LimitFields, AreReadAsPeopleWriteThem) {
  const struct {
    const char* name;
    const char* text;
    LimitValue value;
    const char* shown;
  } rows[] = {{"memory", "64M", ByteSize::mib(64), "64 MiB"},
              {"rate_in", "10mbit", BitRate::mbit(10), "10 mbit/s"},
              {"rate_in", "0", BitRate(), "none"},
              {"packets", "5000", 5000U, "5000"},
              {"cpu_percent", "0", 0U, "none"},
              {"traffic_end", "throttle", TrafficEnd::Throttle, "throttle"}};
  for (const auto& row : rows) {
    const LimitField* const field = find_limit(row.name);
    ASSERT_NE(field, nullptr) << row.name;
    const auto value = parse_limit(*field, row.text);
    ASSERT_THAT(value, is_ok()) << row.name;
    EXPECT_EQ(*value, row.value) << row.name;
    EXPECT_EQ(text_of(*field, *value), row.shown);
  }
  EXPECT_EQ(label_of(*find_limit("cpu_weight")), "cpu weight");
  EXPECT_EQ(find_limit("cpu"), nullptr);
}

TEST(LimitFields, RefuseWhatIsOfAnotherKind) {
  for (const auto& [name, text] : {std::pair{"memory", "much"},
                                   {"rate_in", "10M"},
                                   {"packets", "-1"},
                                   {"packets", "5x"},
                                   {"traffic_end", "later"}}) {
    EXPECT_THAT(parse_limit(*find_limit(name), text), is_error(Kind::Invalid, text)) << name;
  }
}

TEST(NetworkLimits, AreWhatTheKernelCanHoldTo) {
  Limits good;
  good.memory = ByteSize::mib(32);
  good.disk = ByteSize::gib(1);
  ASSERT_THAT(check_limits(good), is_ok());
  const auto refused = [&](const char* name, LimitValue value) {
    Limits limits = good;
    set_value(limits, *find_limit(name), value);
    return check_limits(limits);
  };
  EXPECT_THAT(refused("rate_in", BitRate(1000)), is_error(Kind::Invalid, "1 kbit"));
  EXPECT_THAT(refused("rate_out", BitRate::mbit(100'000)), is_error(Kind::Invalid, "100 gbit"));
  EXPECT_THAT(refused("throttled_rate", BitRate()), is_error(Kind::Invalid, "throttled rate"));
  EXPECT_THAT(refused("network_burst", ByteSize(1)), is_error(Kind::Invalid, "network burst"));
  EXPECT_THAT(refused("rate_in", kMostRate), is_ok());
}

}  // namespace
}  // namespace umlfarm::quota
