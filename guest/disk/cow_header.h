// The header of a UML copy-on-write file: bytes to values and back. Pure, and it believes nothing it reads.
//
// A COW file is a header, then a bitmap with one bit per 512-byte sector (least significant bit first), then
// the sectors at data_offset. A set bit says that the sector is taken from here, a clear one from the base.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "provisioner/base/result.h"

namespace umlfarm::guest {

inline constexpr std::uint64_t kCowSector = 512;
// Of bitmap and data, as UML has it for disks that it makes.
inline constexpr std::uint64_t kCowPage = 4096;
// The longest header of any version: reading this much (or the whole of a shorter file) is always enough.
inline constexpr std::size_t kMostCowHeaderBytes = 4136;

struct CowHeader {
  unsigned version = 3;         // 1, 2 or 3
  std::string base_path;        // as UML will open it; without control characters
  std::int64_t base_mtime = 0;  // seconds since 1970, 32 bits wide in the file
  std::uint64_t size = 0;       // of the disk as the guest sees it, in bytes; a multiple of 512
  std::uint64_t sector_size = kCowSector;
  std::uint64_t alignment = 0;  // of bitmap and data, in bytes
  std::uint64_t bitmap_offset = 0;
  std::uint64_t bitmap_bytes = 0;
  std::uint64_t data_offset = 0;
  std::uint64_t path_offset = 0;    // where in the file the base's path stands
  std::uint64_t path_capacity = 0;  // bytes for that path, its NUL included
};

// Whether a disk that begins so would be taken for a COW file, by UML and by uml-utilities, in either byte
// order.
bool has_cow_magic(std::span<const std::uint8_t> start);

// Reads the first bytes of a file, at most kMostCowHeaderBytes of them. Invalid when they aren't a header of
// version 1, 2 or 3 that UML can use: its offsets then are consistent and far from overflow, but whether the
// file is long enough is the caller's to check.
Result<CowHeader> decode_cow_header(std::span<const std::uint8_t> start);

// A version 3 header as UML writes it. Invalid when UML could not work with it: a path over 4095 bytes or
// with control characters, a time outside 32 bits, a size that is not a multiple of 512, of 32 KiB or less,
// or so near 8 TiB (or above) that UML's offsets would wrap.
Result<CowHeader> make_cow_header(const std::string& base_path, std::int64_t base_mtime, std::uint64_t size,
                                  std::uint64_t alignment = kCowPage);

// An alignment that leaves the bitmap of a disk of that size room to become at least 16 times as long; of one
// above 128 GiB room for 2 TiB, and of one above that none. It only grows with the size. The room is less
// than a 64th of the size, or 128 KiB.
std::uint64_t growing_alignment(std::uint64_t size);

// The largest size that such a disk can get without bitmap or data being moved, in bytes.
std::uint64_t most_size(const CowHeader& header);

// The bytes of a version 3 header; the size alone stands in 8 of them at kCowSizeOffset.
inline constexpr std::uint64_t kCowSizeOffset = 12;
std::vector<std::uint8_t> encode_cow_header(const CowHeader& header);

// Invalid when a path cannot stand in a header with that much room.
Status check_cow_base_path(const std::string& path, std::uint64_t capacity);

}  // namespace umlfarm::guest
