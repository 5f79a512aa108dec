#include "provisioner/base/byte_size.h"

#include <gtest/gtest.h>

#include "tests/support/result_matchers.h"

namespace umlfarm {
namespace {

TEST(ByteSize, ReadsWhatPeopleWrite) {
  const struct {
    const char* text;
    std::uint64_t bytes;
  } rows[] = {{"0", 0},
              {"1048576", 1048576},
              {"512M", 512ULL << 20U},
              {"512MiB", 512ULL << 20U},
              {"20 GiB", 20ULL << 30U},
              {"1T", 1ULL << 40U},
              {"7B", 7},
              {"3K", 3072}};
  for (const auto& row : rows) {
    const auto size = ByteSize::parse(row.text);
    ASSERT_THAT(size, testing::is_ok()) << row.text;
    EXPECT_EQ(size->bytes(), row.bytes) << row.text;
  }
}

TEST(ByteSize, RefusesWhatIsNotAnAmount) {
  for (const char* text : {"", "-1", "+1", "1.5G", "G", "12X", "1 0", "1  G", "512m", "1GB",
                           "9223372036854775808", "8388608T", "99999999999999999999", " 1"}) {
    EXPECT_THAT(ByteSize::parse(text), testing::is_error(Kind::Invalid, std::string("'") + text + "'"));
  }
}

TEST(ByteSize, PrintsWithoutLosingAByteAndReadsItBack) {
  for (const std::uint64_t bytes :
       {0ULL, 1ULL, 1023ULL, 1024ULL, 1025ULL, 512ULL << 20U, (3ULL << 30U) + 512}) {
    const auto again = ByteSize::parse(ByteSize(bytes).str());
    ASSERT_THAT(again, testing::is_ok());
    EXPECT_EQ(again->bytes(), bytes);
  }
}

TEST(HumanSize, HasThreeDigitsAtMost) {
  const struct {
    std::uint64_t bytes;
    const char* text;
  } rows[] = {{0, "0 B"},
              {999, "999 B"},
              {1000, "1.0 KiB"},
              {1024, "1 KiB"},
              {1536, "1.5 KiB"},
              {10'240, "10 KiB"},
              {102'348, "99.9 KiB"},
              {102'349, "100 KiB"},
              {1ULL << 20U, "1 MiB"},
              {64ULL << 20U, "64 MiB"},
              {999ULL << 20U, "999 MiB"},
              {1000ULL << 20U, "1.0 GiB"},
              {20ULL << 30U, "20 GiB"},
              {5ULL << 40U, "5 TiB"},
              {1ULL << 50U, "1 PiB"},
              {UINT64_MAX, "16 EiB"}};
  for (const auto& row : rows) EXPECT_EQ(human_size(row.bytes), row.text) << row.bytes;
}

}  // namespace
}  // namespace umlfarm
