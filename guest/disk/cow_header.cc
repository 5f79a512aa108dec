#include "guest/disk/cow_header.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

namespace umlfarm::guest {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint64_t kMagic = 0x4f4f4f4d;
constexpr std::uint64_t kLeastGrowing = 65536;
// With it the bitmap is of up to 512 MiB and data begins at 1 GiB, which an int holds.
constexpr std::uint64_t kMostAlignment = std::uint64_t{512} << 20U;
// Bytes of a disk for one of its bitmap
constexpr std::uint64_t kPerBitmapByte = 8 * kCowSector;
constexpr std::uint64_t kGrows = 16;
// cowify_bitmap() steps back from the last word of the bitmap: with one word it writes over the header.
constexpr std::uint64_t kLeastSize = 64 * kCowSector + kCowSector;
constexpr std::uint64_t kMostSize = (std::uint64_t{8} << 40U) - kCowSector;
// cow_sizes() computes the data offset in an int.
constexpr std::uint64_t kMostOffset = std::numeric_limits<std::int32_t>::max();

struct Layout {
  unsigned version;
  std::endian order;
  std::size_t mtime;
  std::size_t size;
  std::size_t sector_size;
  std::size_t alignment;  // zero where the version has none; the format number follows it
  std::size_t path;
  std::size_t path_bytes;
  std::size_t bytes;
};

// Version 1 was never byte-swapped.
constexpr Layout kVersion1{1, std::endian::native, 264, 268, 276, 0, 8, 256, 280};
constexpr Layout kVersion2{2, std::endian::big, 4104, 4108, 4116, 0, 8, 4096, 4120};
constexpr Layout kVersion3{3, std::endian::big, 8, kCowSizeOffset, 20, 24, 32, 4096, 4128};
// 64-bit tools until December 2005 wrote version 3 unpacked; the format number, always 0, then stands where
// a path would begin.
constexpr Layout kUnpacked3{3, std::endian::big, 8, 16, 24, 28, 36, 4096, 4136};

Error invalid(const std::string& why) { return {Kind::Invalid, "COW header: " + why}; }

std::uint64_t load(Bytes bytes, std::size_t offset, std::size_t width, std::endian order) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) {
    const std::size_t at = order == std::endian::big ? i : width - 1 - i;
    value = value << 8U | bytes[offset + at];
  }
  return value;
}

void store_big(std::span<std::uint8_t> bytes, std::size_t offset, std::size_t width, std::uint64_t value) {
  for (std::size_t i = 0; i < width; ++i) {
    bytes[offset + i] = static_cast<std::uint8_t>(value >> (8 * (width - 1 - i)));
  }
}

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t step) {
  return (value + step - 1) / step * step;
}

bool magic_in(Bytes start, std::endian order) {
  return start.size() >= 4 && load(start, 0, 4, order) == kMagic;
}

Result<Layout> layout_of(Bytes start) {
  if (!has_cow_magic(start)) return invalid("this is not a COW file");
  if (start.size() < 8) return invalid("the file ends within it");
  const auto order = magic_in(start, std::endian::big) ? std::endian::big : std::endian::little;
  const std::uint64_t version = load(start, 4, 4, order);
  if (version < 1 || version > 3) {
    return invalid("version " + std::to_string(version) + " is not known; 1, 2 and 3 are");
  }
  const bool unpacked = version == 3 && start.size() >= kUnpacked3.path && load(start, 32, 4, order) == 0;
  const std::array<Layout, 3> packed{kVersion1, kVersion2, kVersion3};
  const Layout layout = unpacked ? kUnpacked3 : packed.at(version - 1);
  if (start.size() < layout.bytes) return invalid("the file ends within it");
  return layout;
}

Status check_geometry(const CowHeader& header) {
  if (header.sector_size != kCowSector) {
    return invalid("sectors of " + std::to_string(header.sector_size) + " bytes; UML has only 512");
  }
  if (!std::has_single_bit(header.alignment) || header.alignment < kCowSector ||
      header.alignment > kMostAlignment) {
    return invalid("alignment " + std::to_string(header.alignment) +
                   " is not a power of 2 from 512 bytes to 512 MiB");
  }
  if (header.size == 0 || header.size % kCowSector != 0) {
    return invalid("disk size " + std::to_string(header.size) + " is not a multiple of 512 bytes");
  }
  if (header.size > kMostSize) {
    return invalid("disk size " + std::to_string(header.size) +
                   " is 8 TiB or more, which UML cannot address");
  }
  return {};
}

// As cow_sizes() in the kernel has it, with the rounding of versions 1 and 2 that loses the last bits.
Status place_parts(CowHeader& header, std::size_t header_bytes) {
  if (header.version < 3) {
    header.bitmap_offset = header_bytes;
    header.bitmap_bytes = (header.size + kCowSector - 1) / (8 * kCowSector);
  } else {
    header.bitmap_offset = round_up(header_bytes, header.alignment);
    header.bitmap_bytes = round_up(header.size / kCowSector, 8) / 8;
  }
  header.data_offset = round_up(header.bitmap_offset + header.bitmap_bytes, header.alignment);
  if (header.data_offset > kMostOffset) {
    return invalid("disk size " + std::to_string(header.size) +
                   " is too near 8 TiB: UML's offsets would wrap");
  }
  return {};
}

Result<std::string> load_path(Bytes field) {
  const auto end = std::find(field.begin(), field.end(), std::uint8_t{0});
  if (end == field.end()) return invalid("the base's path has no end");
  std::string path(field.begin(), end);
  UMLFARM_TRY(check_cow_base_path(path, field.size()));
  return path;
}

}  // namespace

bool has_cow_magic(std::span<const std::uint8_t> start) {
  return magic_in(start, std::endian::big) || magic_in(start, std::endian::little);
}

Status check_cow_base_path(const std::string& path, std::uint64_t capacity) {
  if (path.empty()) return invalid("the base's path is empty");
  if (path.size() >= capacity) {
    return invalid("the base's path has " + std::to_string(path.size()) + " bytes and may have " +
                   std::to_string(capacity - 1) + "; move the base to a shorter path");
  }
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(path.begin(), path.end(), is_control)) {
    return invalid("the base's path holds control characters");
  }
  return {};
}

Result<CowHeader> decode_cow_header(std::span<const std::uint8_t> start) {
  UMLFARM_ASSIGN(const Layout layout, layout_of(start));
  CowHeader header;
  header.version = layout.version;
  header.base_mtime = static_cast<std::int64_t>(load(start, layout.mtime, 4, layout.order));
  header.size = load(start, layout.size, 8, layout.order);
  header.sector_size = load(start, layout.sector_size, 4, layout.order);
  header.alignment =
      layout.alignment == 0 ? header.sector_size : load(start, layout.alignment, 4, layout.order);
  header.path_offset = layout.path;
  header.path_capacity = layout.path_bytes;
  if (layout.alignment != 0 && load(start, layout.alignment + 4, 4, layout.order) != 0) {
    return invalid("its format is not the plain bitmap, the only one there is");
  }
  UMLFARM_TRY(check_geometry(header));
  UMLFARM_TRY(place_parts(header, layout.bytes));
  UMLFARM_ASSIGN(header.base_path, load_path(start.subspan(layout.path, layout.path_bytes)));
  return header;
}

Result<CowHeader> make_cow_header(const std::string& base_path, std::int64_t base_mtime, std::uint64_t size,
                                  std::uint64_t alignment) {
  CowHeader header;
  header.base_path = base_path;
  header.base_mtime = base_mtime;
  header.size = size;
  header.alignment = alignment;
  header.path_offset = kVersion3.path;
  header.path_capacity = kVersion3.path_bytes;
  UMLFARM_TRY(check_cow_base_path(base_path, header.path_capacity));
  if (base_mtime < 0 || base_mtime > std::int64_t{std::numeric_limits<std::uint32_t>::max()}) {
    return invalid("the base's modification time does not fit its 32 bits; set another with touch");
  }
  UMLFARM_TRY(check_geometry(header));
  if (size < kLeastSize) {
    return invalid("disk size " + std::to_string(size) + " is too small: UML needs more than 32 KiB");
  }
  UMLFARM_TRY(place_parts(header, kVersion3.bytes));
  return header;
}

std::uint64_t growing_alignment(std::uint64_t size) {
  const std::uint64_t bitmap = size / kPerBitmapByte;
  if (bitmap > kMostAlignment) return kCowPage;
  return std::min(std::bit_ceil(std::max(bitmap * kGrows, kLeastGrowing)), kMostAlignment);
}

std::uint64_t most_size(const CowHeader& header) {
  // Nothing makes the others any more.
  if (header.version != kVersion3.version || header.path_offset != kVersion3.path) return header.size;
  return std::min((header.data_offset - header.bitmap_offset) * kPerBitmapByte, kMostSize);
}

std::vector<std::uint8_t> encode_cow_header(const CowHeader& header) {
  std::vector<std::uint8_t> bytes(kVersion3.bytes);
  store_big(bytes, 0, 4, kMagic);
  store_big(bytes, 4, 4, kVersion3.version);
  store_big(bytes, kVersion3.mtime, 4, static_cast<std::uint64_t>(header.base_mtime));
  store_big(bytes, kVersion3.size, 8, header.size);
  store_big(bytes, kVersion3.sector_size, 4, header.sector_size);
  store_big(bytes, kVersion3.alignment, 4, header.alignment);
  std::memcpy(bytes.data() + kVersion3.path, header.base_path.data(), header.base_path.size());
  return bytes;
}

}  // namespace umlfarm::guest
