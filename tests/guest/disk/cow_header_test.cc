#include "guest/disk/cow_header.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "tests/support/result_matchers.h"

namespace umlfarm::guest {
namespace {

using testing::is_error;
using testing::is_ok;

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint64_t kTiB = std::uint64_t{1} << 40U;

void put(Bytes& bytes, std::size_t offset, std::size_t width, std::uint64_t value, bool big = true) {
  for (std::size_t i = 0; i < width; ++i) {
    bytes[offset + i] = static_cast<std::uint8_t>(value >> (8 * (big ? width - 1 - i : i)));
  }
}

void put_path(Bytes& bytes, std::size_t offset, const char* path) {
  std::memcpy(&bytes[offset], path, std::strlen(path));
}

Bytes good() { return encode_cow_header(*make_cow_header("/b/root.img", 1700000000, kTiB)); }

Bytes with(std::size_t offset, std::size_t width, std::uint64_t value) {
  Bytes bytes = good();
  put(bytes, offset, width, value);
  return bytes;
}

TEST(CowHeader, ReadsWhatItWrites) {
  const auto header = decode_cow_header(good());
  ASSERT_THAT(header, is_ok());
  EXPECT_EQ(header->version, 3U);
  EXPECT_EQ(header->base_path, "/b/root.img");
  EXPECT_EQ(header->base_mtime, 1700000000);
  EXPECT_EQ(header->size, kTiB);
  EXPECT_EQ(header->bitmap_offset, 8192U);
  EXPECT_EQ(header->bitmap_bytes, kTiB / 4096);
  EXPECT_EQ(header->data_offset, 8192 + kTiB / 4096);
}

TEST(CowHeader, ReadsVersion1InHostOrder) {
  Bytes bytes(280);
  put(bytes, 0, 4, 0x4f4f4f4d, false);
  put(bytes, 4, 4, 1, false);
  put_path(bytes, 8, "/b");
  put(bytes, 264, 4, 1000, false);
  put(bytes, 268, 8, 512 * 100, false);
  put(bytes, 276, 4, 512, false);
  const auto header = decode_cow_header(bytes);
  ASSERT_THAT(header, is_ok());
  EXPECT_EQ(header->version, 1U);
  EXPECT_EQ(header->base_path, "/b");
  EXPECT_EQ(header->base_mtime, 1000);
  EXPECT_EQ(header->size, 51200U);
  EXPECT_EQ(header->bitmap_offset, 280U);
  EXPECT_EQ(header->bitmap_bytes, 12U) << "versions 1 and 2 round down";
  EXPECT_EQ(header->data_offset, 512U);
}

TEST(CowHeader, ReadsVersion2) {
  Bytes bytes(4120);
  put(bytes, 0, 4, 0x4f4f4f4d);
  put(bytes, 4, 4, 2);
  put_path(bytes, 8, "/base");
  put(bytes, 4104, 4, 1000);
  put(bytes, 4108, 8, 1U << 20U);
  put(bytes, 4116, 4, 512);
  const auto header = decode_cow_header(bytes);
  ASSERT_THAT(header, is_ok());
  EXPECT_EQ(header->version, 2U);
  EXPECT_EQ(header->base_path, "/base");
  EXPECT_EQ(header->bitmap_offset, 4120U);
  EXPECT_EQ(header->data_offset, 4608U);
}

TEST(CowHeader, ReadsTheUnpackedVersion3OfOld64BitTools) {
  Bytes bytes(4136);
  put(bytes, 0, 4, 0x4f4f4f4d);
  put(bytes, 4, 4, 3);
  put(bytes, 8, 4, 1000);
  put(bytes, 16, 8, 1U << 20U);
  put(bytes, 24, 4, 512);
  put(bytes, 28, 4, 4096);
  put_path(bytes, 36, "/base");
  const auto header = decode_cow_header(bytes);
  ASSERT_THAT(header, is_ok());
  EXPECT_EQ(header->base_path, "/base");
  EXPECT_EQ(header->path_offset, 36U);
  EXPECT_EQ(header->bitmap_offset, 8192U);
}

TEST(CowHeader, RefusesHostileFields) {
  EXPECT_THAT(decode_cow_header(with(0, 4, 0x4f4f4f4e)), is_error(Kind::Invalid, "not a COW file"));
  EXPECT_THAT(decode_cow_header(with(4, 4, 0)), is_error(Kind::Invalid, "version 0"));
  EXPECT_THAT(decode_cow_header(with(4, 4, 4)), is_error(Kind::Invalid, "version 4"));
  EXPECT_THAT(decode_cow_header(with(12, 8, 0)), is_error(Kind::Invalid, "multiple of 512"));
  EXPECT_THAT(decode_cow_header(with(12, 8, 1000)), is_error(Kind::Invalid, "multiple of 512"));
  EXPECT_THAT(decode_cow_header(with(12, 8, 8 * kTiB)), is_error(Kind::Invalid, "8 TiB"));
  EXPECT_THAT(decode_cow_header(with(12, 8, ~std::uint64_t{511})), is_error(Kind::Invalid, "8 TiB"));
  EXPECT_THAT(decode_cow_header(with(20, 4, 0)), is_error(Kind::Invalid, "sectors of 0"));
  EXPECT_THAT(decode_cow_header(with(20, 4, 4096)), is_error(Kind::Invalid, "sectors of 4096"));
  EXPECT_THAT(decode_cow_header(with(24, 4, 0)), is_error(Kind::Invalid, "alignment 0"));
  EXPECT_THAT(decode_cow_header(with(24, 4, 5000)), is_error(Kind::Invalid, "alignment"));
  EXPECT_THAT(decode_cow_header(with(24, 4, 0x80000000)), is_error(Kind::Invalid, "alignment"));
  EXPECT_THAT(decode_cow_header(with(28, 4, 1)), is_error(Kind::Invalid, "format"));
  EXPECT_THAT(decode_cow_header(with(33, 1, 0x1b)), is_error(Kind::Invalid, "control"));
  Bytes endless = good();
  std::fill(endless.begin() + 32, endless.end(), std::uint8_t{'x'});
  EXPECT_THAT(decode_cow_header(endless), is_error(Kind::Invalid, "no end"));
}

TEST(CowHeader, RefusesEveryShorterStart) {
  const Bytes whole = good();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    ASSERT_FALSE(decode_cow_header(std::span(whole).first(length))) << length;
  }
}

TEST(CowHeader, GivesConsistentOffsetsForWhateverItAccepts) {
  std::mt19937 random(3);
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    Bytes bytes = good();
    for (int flips = 0; flips < 3; ++flips) bytes[random() % 64] = static_cast<std::uint8_t>(random());
    const auto header = decode_cow_header(bytes);
    if (!header) continue;
    ++accepted;
    ASSERT_GE(header->bitmap_bytes * 8 * 512 + 4096, header->size);
    ASSERT_GE(header->data_offset, header->bitmap_offset + header->bitmap_bytes);
    ASSERT_LE(header->data_offset, std::uint64_t{INT32_MAX});
  }
  EXPECT_GT(accepted, 0);
}

TEST(MakeCowHeader, RefusesWhatUmlCannotUse) {
  constexpr std::uint64_t kSize = 1U << 20U;
  EXPECT_THAT(make_cow_header("/" + std::string(4094, 'x'), 0, kSize), is_ok());
  EXPECT_THAT(make_cow_header("/" + std::string(4095, 'x'), 0, kSize), is_error(Kind::Invalid, "4095"));
  EXPECT_THAT(make_cow_header("", 0, kSize), is_error(Kind::Invalid, "empty"));
  EXPECT_THAT(make_cow_header("/a\nb", 0, kSize), is_error(Kind::Invalid, "control"));
  EXPECT_THAT(make_cow_header("/b", -1, kSize), is_error(Kind::Invalid, "32 bits"));
  EXPECT_THAT(make_cow_header("/b", std::int64_t{1} << 32U, kSize), is_error(Kind::Invalid, "32 bits"));
  EXPECT_THAT(make_cow_header("/b", 0, 0), is_error(Kind::Invalid, "multiple of 512"));
  EXPECT_THAT(make_cow_header("/b", 0, kSize + 1), is_error(Kind::Invalid, "multiple of 512"));
  EXPECT_THAT(make_cow_header("/b", 0, 32768), is_error(Kind::Invalid, "32 KiB"));
  EXPECT_THAT(make_cow_header("/b", 0, 32768 + 512), is_ok());
  EXPECT_THAT(make_cow_header("/b", 0, 8 * kTiB), is_error(Kind::Invalid, "8 TiB"));
  EXPECT_THAT(make_cow_header("/b", 0, 8 * kTiB - 512), is_error(Kind::Invalid, "wrap"));
  EXPECT_THAT(make_cow_header("/b", 0, 8 * kTiB - (std::uint64_t{1} << 26U)), is_ok());
}

TEST(GrowingAlignment, LeavesRoomToGrowAndLittleElse) {
  std::uint64_t last = 0;
  for (std::uint64_t size = 512; size <= 2 * kTiB; size = size * 17 / 16 / 512 * 512 + 512) {
    const std::uint64_t alignment = growing_alignment(size);
    EXPECT_GE(alignment, last) << size;
    last = alignment;
    if (size < 65536) continue;
    const auto header = make_cow_header("/b", 0, size, alignment);
    ASSERT_THAT(header, is_ok());
    EXPECT_GE(most_size(*header), std::min(size * 16, 2 * kTiB)) << size;
    EXPECT_LE(header->data_offset, std::max(size / 64, std::uint64_t{131072})) << size;
    const auto grown = make_cow_header("/b", 0, most_size(*header), alignment);
    ASSERT_THAT(grown, is_ok());
    EXPECT_EQ(grown->data_offset, header->data_offset) << size;
    EXPECT_EQ(grown->bitmap_offset, header->bitmap_offset) << size;
  }
  EXPECT_EQ(growing_alignment(3 * kTiB), 4096U);
}

TEST(CowMagic, IsSeenInBothByteOrders) {
  EXPECT_TRUE(has_cow_magic(Bytes{0x4f, 0x4f, 0x4f, 0x4d, 0}));
  EXPECT_TRUE(has_cow_magic(Bytes{0x4d, 0x4f, 0x4f, 0x4f, 0}));
  EXPECT_FALSE(has_cow_magic(Bytes{0x4f, 0x4f, 0x4f}));
  EXPECT_FALSE(has_cow_magic(Bytes{0x4f, 0x4f, 0x4d, 0x4f}));
}

}  // namespace
}  // namespace umlfarm::guest
