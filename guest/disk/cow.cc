#include "guest/disk/cow.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <vector>

#include "guest/disk/cow_file.h"
#include "guest/disk/staged_file.h"
#include "provisioner/base/posix.h"

namespace umlfarm::guest {
namespace {

constexpr std::uint64_t kChunk = 1U << 16U;

std::string recorded_path(const CowBase& base, const BaseFile& file) {
  return base.seen_as.empty() ? file.path : base.seen_as;
}

// The first byte at or after `offset` that is not in a hole; `end` when there is none before it.
Result<std::uint64_t> next_data(int fd, std::uint64_t offset, std::uint64_t end) {
  const off_t found = ::lseek(fd, static_cast<off_t>(offset), SEEK_DATA);
  if (found < 0 && errno == ENXIO) return end;
  if (found < 0) return system_error("seek");
  return std::min(static_cast<std::uint64_t>(found), end);
}

// Counts only bits that stand for a sector.
std::uint64_t count_bits(std::span<std::uint8_t> bytes, std::uint64_t bits) {
  if (bits < bytes.size() * 8) {
    bytes = bytes.first(static_cast<std::size_t>((bits + 7) / 8));
    if (bits % 8 != 0) bytes.back() &= static_cast<std::uint8_t>((1U << (bits % 8)) - 1U);
  }
  std::uint64_t count = 0;
  for (const std::uint8_t byte : bytes) count += static_cast<unsigned>(std::popcount(byte));
  return count;
}

Result<std::uint64_t> count_allocated(const CowFile& cow) {
  const std::uint64_t end = cow.header.bitmap_offset + cow.header.bitmap_bytes;
  const std::uint64_t sectors = cow.header.size / kCowSector;
  std::vector<std::uint8_t> chunk(kChunk);
  std::uint64_t count = 0;
  for (std::uint64_t at = cow.header.bitmap_offset; at < end;) {
    UMLFARM_ASSIGN(at, next_data(cow.fd.get(), at, end));
    if (at == end) break;
    const auto part = std::span(chunk).first(static_cast<std::size_t>(std::min(kChunk, end - at)));
    UMLFARM_TRY(posix::pread_all(cow.fd.get(), part, static_cast<std::int64_t>(at)));
    count += count_bits(part, sectors - (at - cow.header.bitmap_offset) * 8);
    at += part.size();
  }
  return count;
}

Status fill_new_cow(const StagedFile& file, const CowHeader& header, uid_t uid, gid_t gid) {
  if (::fchown(file.fd(), uid, gid) != 0) return system_error("set owner");
  if (::ftruncate(file.fd(), static_cast<off_t>(header.data_offset + header.size)) != 0) {
    return system_error("set size");
  }
  return posix::pwrite_all(file.fd(), encode_cow_header(header), 0);
}

// Only the path and what the old one leaves behind it: up to 480 bytes lie in one sector, which a power cut
// leaves either old or new.
Status write_path(const CowFile& cow, const std::string& path) {
  std::vector<std::uint8_t> field(std::max(path.size(), cow.header.base_path.size()) + 1);
  std::memcpy(field.data(), path.data(), path.size());
  UMLFARM_TRY(posix::pwrite_all(cow.fd.get(), field, static_cast<std::int64_t>(cow.header.path_offset)));
  if (::fdatasync(cow.fd.get()) != 0) return system_error("sync");
  return {};
}

// Whoever wrote it may have been hostile, and how long the file may become follows from it.
bool is_as_made(const CowHeader& header, std::uint64_t size) {
  return header.alignment <= std::max(growing_alignment(size), kCowPage);
}

// Eight bytes of the first sector: a power cut leaves the old size or the new one.
Status write_size(const CowFile& cow, std::uint64_t size) {
  CowHeader header = cow.header;
  header.size = size;
  const std::vector<std::uint8_t> bytes = encode_cow_header(header);
  UMLFARM_TRY(posix::pwrite_all(cow.fd.get(), std::span(bytes).subspan(kCowSizeOffset, sizeof size),
                                static_cast<std::int64_t>(kCowSizeOffset)));
  if (::fdatasync(cow.fd.get()) != 0) return system_error("sync");
  return {};
}

}  // namespace

Status create_cow(const std::string& cow_path, const CowBase& base, mode_t mode, uid_t uid, gid_t gid,
                  std::optional<std::uint64_t> size) {
  const std::string what = "create disk " + cow_path;
  auto file = open_base(base.path);
  if (!file) return std::move(file).error().context(what);
  if (size && *size < file->size) {
    return Error(Kind::Invalid, what + ": " + std::to_string(*size) + " bytes are less than its base has, " +
                                    std::to_string(file->size) + "; make it larger, or take a smaller image");
  }
  const auto header = make_cow_header(recorded_path(base, *file), file->mtime, size.value_or(file->size),
                                      size ? growing_alignment(*size) : kCowPage);
  if (!header) return Error(header.error()).context(what + " on " + base.path);
  UMLFARM_ASSIGN(StagedFile staged, StagedFile::create(cow_path, mode));
  auto filled = fill_new_cow(staged, *header, uid, gid);
  if (!filled) return std::move(filled).error().context(what);
  return staged.publish();
}

Result<CowInfo> inspect_cow(const std::string& path) {
  UMLFARM_ASSIGN(const CowFile cow, open_cow(path, O_RDONLY));
  auto sectors = count_allocated(cow);
  if (!sectors) return std::move(sectors).error().context(path);
  const CowHeader& header = cow.header;
  return CowInfo{header.version,
                 header.base_path,
                 header.base_mtime,
                 header.size,
                 is_as_made(header, header.size) ? most_size(header) : header.size,
                 header.sector_size,
                 header.alignment,
                 header.bitmap_offset,
                 header.data_offset,
                 *sectors,
                 cow.host_bytes};
}

Status verify_cow(const std::string& cow_path, const CowBase& base) {
  UMLFARM_ASSIGN(const CowFile cow, open_cow(cow_path, O_RDONLY));
  UMLFARM_ASSIGN(const BaseFile file, open_base(base.path));
  const std::string expected = recorded_path(base, file);
  if (cow.header.base_path != expected) {
    return Error(Kind::Conflict, cow_path + ": its base is " + cow.header.base_path + ", not " + expected +
                                     "; give that base, or rebase the disk if the base was moved");
  }
  return check_same_content(cow_path, cow.header, file);
}

Result<std::uint64_t> grow_cow(const std::string& path, std::uint64_t size) {
  UMLFARM_ASSIGN(const CowFile cow, open_cow(path, O_RDWR));
  const CowHeader& header = cow.header;
  if (!is_as_made(header, size)) {
    return Error(Kind::Invalid, path + ": its header leaves more room than a disk of " +
                                    std::to_string(size) + " bytes is made with");
  }
  const std::uint64_t whole = header.data_offset + size;
  if (header.size == size) return whole;
  if (header.size > size) {
    return Error(Kind::Conflict, path + ": it has " + std::to_string(header.size) +
                                     " bytes, and should have " + std::to_string(size) +
                                     "; a disk can't become smaller");
  }
  if (size % kCowSector != 0 || size > most_size(header)) {
    return Error(Kind::Conflict, path + ": it can't have " + std::to_string(size) + " bytes, its most are " +
                                     std::to_string(most_size(header)) + " in sectors of 512");
  }
  if (::ftruncate(cow.fd.get(), static_cast<off_t>(whole)) != 0) {
    return system_error("grow " + path);
  }
  // A header that says more than there is would be a disk cut short.
  if (::fdatasync(cow.fd.get()) != 0) return system_error("sync " + path);
  auto written = write_size(cow, size);
  if (!written) return std::move(written).error().context("grow " + path);
  return whole;
}

Status rebase_cow(const std::string& cow_path, const CowBase& new_base) {
  const std::string what = "rebase " + cow_path;
  UMLFARM_ASSIGN(const CowFile cow, open_cow(cow_path, O_RDWR));
  UMLFARM_TRY(lock_cow(cow.fd.get(), true, cow_path));
  UMLFARM_ASSIGN(const BaseFile file, open_base(new_base.path));
  UMLFARM_TRY(check_same_content(cow_path, cow.header, file));
  const std::string path = recorded_path(new_base, file);
  auto fits = check_cow_base_path(path, cow.header.path_capacity);
  if (!fits) return std::move(fits).error().context(what);
  auto written = write_path(cow, path);
  if (!written) return std::move(written).error().context(what);
  return {};
}

Result<bool> carries_cow_magic(const std::string& path) {
  UMLFARM_ASSIGN(const UniqueFd fd, posix::open(path, O_RDONLY | O_NONBLOCK));
  std::uint8_t start[4] = {};
  const ssize_t got = ::pread(fd.get(), start, sizeof start, 0);
  if (got < 0) return system_error("read " + path);
  return has_cow_magic(std::span(start).first(static_cast<std::size_t>(got)));
}

}  // namespace umlfarm::guest
