#include "provisioner/base/bit_rate.h"

#include <gtest/gtest.h>

#include "tests/support/result_matchers.h"

namespace umlfarm {
namespace {

TEST(BitRate, ReadsWhatPeopleWrite) {
  const struct {
    const char* text;
    std::uint64_t bits;
    const char* shown;
  } rows[] = {{"0", 0, "0 bit"},
              {"0mbit", 0, "0 bit"},
              {"10mbit", 10'000'000, "10 mbit"},
              {"10 Mbit", 10'000'000, "10 mbit"},
              {"1500kbit", 1'500'000, "1500 kbit"},
              {"1gbit", 1'000'000'000, "1 gbit"},
              {"9bit", 9, "9 bit"}};
  for (const auto& row : rows) {
    const auto rate = BitRate::parse(row.text);
    ASSERT_THAT(rate, testing::is_ok()) << row.text;
    EXPECT_EQ(rate->bits(), row.bits) << row.text;
    EXPECT_EQ(rate->str(), row.shown) << row.text;
  }
}

TEST(BitRate, RefusesWhatIsNoRate) {
  for (const char* text : {"", "10", "10M", "-1mbit", "1.5mbit", "mbit", "10 mbit/s", "10  mbit", "1mbyte",
                           "99999999999tbit", "18446744073709551615bit"}) {
    EXPECT_THAT(BitRate::parse(text), testing::is_error(Kind::Invalid, "rate '")) << text;
  }
}

}  // namespace
}  // namespace umlfarm
