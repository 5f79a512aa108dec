// Copy-on-write disks in UML's format: a guest's own changes over an immutable base image.
//
// Everything here works on files that no guest runs on. A header may have been written by a hostile process:
// no size, offset or path in it is believed before it is checked.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "provisioner/base/result.h"

namespace umlfarm::guest {

// A base image: where it is, and where UML will see it. The two differ when the guest's root is a jail. UML
// rewrites a header whose path it can't find, so the path in the header has to be the one that UML is given.
struct CowBase {
  CowBase(std::string base_path) : path(std::move(base_path)) {}  // NOLINT: implicit by design
  CowBase(std::string base_path, std::string path_in_jail)
      : path(std::move(base_path)), seen_as(std::move(path_in_jail)) {}

  std::string path;
  std::string seen_as;  // empty: as `path`, made absolute
};

// Makes an empty COW disk, with that mode and owner. It takes 8 KiB on the host, and is on stable storage
// when this returns; on failure nothing is left. Conflict when `cow_path` exists. Invalid for a base that is
// not a regular file, is itself a COW file, has a path over 4095 bytes, or is larger than the disk; or a disk
// whose size is not a multiple of 512, is 32 KiB or less or 8 TiB or more.
//
// Without a size it is as large as its base, and stays so: any UML kernel can use it. With one (bytes) it
// reads as zeroes beyond its base and can grow, which takes a kernel that has growing_disks.
Status create_cow(const std::string& cow_path, const CowBase& base, mode_t mode, uid_t uid, gid_t gid,
                  std::optional<std::uint64_t> size = std::nullopt);

struct CowInfo {
  unsigned version = 0;         // 1, 2 or 3
  std::string base_path;        // as the header has it
  std::int64_t base_mtime = 0;  // seconds since 1970
  std::uint64_t size = 0;       // bytes, as the guest sees the disk
  std::uint64_t most_size = 0;  // that it can grow to; `size` where its header is not as this makes them
  std::uint64_t sector_size = 0;
  std::uint64_t alignment = 0;
  std::uint64_t bitmap_offset = 0;
  std::uint64_t data_offset = 0;
  std::uint64_t allocated_sectors = 0;  // sectors that differ from the base, as the bitmap says
  std::uint64_t host_bytes = 0;         // allocated on the host
};

// Reads header and bitmap. Invalid for a file that is no sound COW file; memory used does not depend on it.
Result<CowInfo> inspect_cow(const std::string& path);

// Whether UML will boot this disk with this base: path and modification time as in the header, and no larger
// than the disk. Conflict with what differs and what to do otherwise (UML itself would boot without the disk
// and report success).
Status verify_cow(const std::string& cow_path, const CowBase& base);

// Has the disk be that large (bytes), durably; a guest may run on it, and sees that when its kernel is told
// to look. Nothing is moved, and nothing done where it is so already. Conflict for a disk that is larger, or
// has no room for that; Invalid where the header claims more room than growing_alignment() leaves. Returns
// the length of the whole file then, by the header that was looked at.
Result<std::uint64_t> grow_cow(const std::string& path, std::uint64_t size);

// Writes the disk as the guest sees it to a new sparse raw file, mode 0600, owned by the caller. Conflict
// when `out_path` exists, a guest runs on the disk, or verify_cow() would refuse. Base and COW file stay as
// they are; on failure no file is left.
Status merge_cow(const std::string& cow_path, const std::string& out_path, const CowBase& base);
// The same with the base that the header names: only for a disk that no untrusted process could write to,
// since a forged header names any file that the caller may read.
Status merge_cow(const std::string& cow_path, const std::string& out_path);

// Points a COW disk to the place where its base is now. Conflict when its modification time is not that of
// the header, it is larger than the disk, or a guest runs on the disk. Durable when it returns.
Status rebase_cow(const std::string& cow_path, const CowBase& new_base);

// Whether a disk begins as a COW file does. A raw disk that does must be refused: UML would take it for one,
// and open whatever base it names.
Result<bool> carries_cow_magic(const std::string& path);

}  // namespace umlfarm::guest
