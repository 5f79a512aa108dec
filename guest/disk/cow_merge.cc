#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "guest/disk/cow.h"
#include "guest/disk/cow_file.h"
#include "guest/disk/staged_file.h"
#include "provisioner/base/posix.h"

namespace umlfarm::guest {
namespace {

constexpr std::uint64_t kChunk = 1U << 20U;
constexpr std::size_t kBlock = 4096;  // zero blocks of this size become holes

bool is_zero(std::span<const std::uint8_t> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

// One pass over the disk in chunks: base, then changed sectors over it, then out.
class Merge {
 public:
  Merge(const CowFile& cow, const BaseFile& base, int out) : cow_(cow), base_(base), out_(out) {}

  Status run() {
    if (::ftruncate(out_, static_cast<off_t>(cow_.header.size)) != 0) return system_error("set size");
    for (std::uint64_t at = 0; at < cow_.header.size; at += kChunk) {
      const auto length = static_cast<std::size_t>(std::min(kChunk, cow_.header.size - at));
      UMLFARM_TRY(merge_chunk(at, length));
    }
    return {};
  }

 private:
  Status merge_chunk(std::uint64_t at, std::size_t length) {
    UMLFARM_TRY(read_bitmap(at, length));
    UMLFARM_ASSIGN(const bool hole, base_is_hole(at, length));
    const bool unchanged = is_zero(bitmap_);
    if (hole && unchanged) return {};
    const auto merged = std::span(merged_).first(length);
    if (hole) {
      std::fill(merged.begin(), merged.end(), std::uint8_t{0});
    } else {
      // Beyond the base's end the disk is zero.
      const auto there = std::min<std::uint64_t>(length, base_.size - at);
      std::fill(merged.begin() + static_cast<std::ptrdiff_t>(there), merged.end(), std::uint8_t{0});
      UMLFARM_TRY(posix::pread_all(base_.fd.get(), merged.first(static_cast<std::size_t>(there)),
                                   static_cast<std::int64_t>(at)));
    }
    if (!unchanged) UMLFARM_TRY(overlay(at, merged));
    return write_blocks(at, merged);
  }

  // The chunk's bits; those that versions 1 and 2 have no room for are clear, as UML takes them.
  Status read_bitmap(std::uint64_t at, std::size_t length) {
    const std::uint64_t first = at / kCowSector / 8;
    bitmap_.assign((length / kCowSector + 7) / 8, 0);
    if (first >= cow_.header.bitmap_bytes) return {};
    const auto there = std::min<std::uint64_t>(bitmap_.size(), cow_.header.bitmap_bytes - first);
    return posix::pread_all(cow_.fd.get(), std::span(bitmap_).first(static_cast<std::size_t>(there)),
                            static_cast<std::int64_t>(cow_.header.bitmap_offset + first));
  }

  Result<bool> base_is_hole(std::uint64_t at, std::size_t length) {
    if (base_data_ < at || !base_data_known_) {
      const off_t found = ::lseek(base_.fd.get(), static_cast<off_t>(at), SEEK_DATA);
      if (found < 0 && errno != ENXIO) return system_error("seek in " + base_.path);
      base_data_ = found < 0 ? std::max(base_.size, cow_.header.size) : static_cast<std::uint64_t>(found);
      base_data_known_ = true;
    }
    return base_data_ >= at + length;
  }

  Status overlay(std::uint64_t at, std::span<std::uint8_t> merged) {
    const auto own = std::span(own_).first(merged.size());
    UMLFARM_TRY(
        posix::pread_all(cow_.fd.get(), own, static_cast<std::int64_t>(cow_.header.data_offset + at)));
    for (std::size_t sector = 0; sector < merged.size() / kCowSector; ++sector) {
      if ((bitmap_[sector / 8] >> (sector % 8) & 1U) == 0) continue;
      std::memcpy(&merged[sector * kCowSector], &own[sector * kCowSector], kCowSector);
    }
    return {};
  }

  Status write_blocks(std::uint64_t at, std::span<const std::uint8_t> merged) {
    for (std::size_t start = 0; start < merged.size();) {
      std::size_t end = start;
      while (end < merged.size() && !is_zero(block(merged, end))) end += block(merged, end).size();
      if (end > start) {
        UMLFARM_TRY(posix::pwrite_all(out_, merged.subspan(start, end - start),
                                      static_cast<std::int64_t>(at + start)));
      }
      start = end < merged.size() ? end + block(merged, end).size() : end;
    }
    return {};
  }

  static std::span<const std::uint8_t> block(std::span<const std::uint8_t> bytes, std::size_t start) {
    return bytes.subspan(start, std::min(kBlock, bytes.size() - start));
  }

  const CowFile& cow_;
  const BaseFile& base_;
  int out_;
  std::uint64_t base_data_ = 0;
  bool base_data_known_ = false;
  std::vector<std::uint8_t> bitmap_;
  std::vector<std::uint8_t> merged_ = std::vector<std::uint8_t>(kChunk);
  std::vector<std::uint8_t> own_ = std::vector<std::uint8_t>(kChunk);
};

}  // namespace

Status merge_cow(const std::string& cow_path, const std::string& out_path, const CowBase& base) {
  UMLFARM_TRY(verify_cow(cow_path, base));
  UMLFARM_ASSIGN(const CowFile cow, open_cow(cow_path, O_RDONLY));
  UMLFARM_TRY(lock_cow(cow.fd.get(), false, cow_path));
  UMLFARM_ASSIGN(const BaseFile file, open_base(base.path));
  // Again, on the descriptors that are read from.
  UMLFARM_TRY(check_same_content(cow_path, cow.header, file));
  UMLFARM_ASSIGN(StagedFile staged, StagedFile::create(out_path, 0600));
  auto merged = Merge(cow, file, staged.fd()).run();
  if (!merged) return std::move(merged).error().context("merge " + cow_path + " to " + out_path);
  return staged.publish();
}

Status merge_cow(const std::string& cow_path, const std::string& out_path) {
  UMLFARM_ASSIGN(const CowInfo info, inspect_cow(cow_path));
  if (info.base_path.front() != '/') {
    return Error(Kind::Invalid, cow_path + ": its base '" + info.base_path +
                                    "' is not an absolute path; rebase the disk to where the base is");
  }
  return merge_cow(cow_path, out_path, CowBase(info.base_path, info.base_path));
}

}  // namespace umlfarm::guest
