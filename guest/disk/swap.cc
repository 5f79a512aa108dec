#include "guest/disk/swap.h"

#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string_view>

#include "guest/disk/staged_file.h"
#include "provisioner/base/posix.h"

namespace umlfarm::guest {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr ByteSize kLeast = ByteSize::kib(40);
constexpr ByteSize kMost = ByteSize::gib(8192);
constexpr std::string_view kSignature = "SWAPSPACE2";

// union swap_header of include/linux/swap.h; its numbers are in the guest's byte order, which is the host's.
struct SwapPage {
  std::uint8_t boot[1024];
  std::uint32_t version;
  std::uint32_t last_page;
  std::uint32_t bad_pages;
  std::uint8_t uuid[16];
  std::uint8_t rest[kPage - 1024 - 12 - 16 - kSignature.size()];
  char signature[kSignature.size()];
};
static_assert(sizeof(SwapPage) == kPage);

Result<SwapPage> swap_page(ByteSize size) {
  SwapPage page{};
  page.version = 1;
  page.last_page = static_cast<std::uint32_t>(size.bytes() / kPage - 1);
  if (::getrandom(page.uuid, sizeof page.uuid, 0) != sizeof page.uuid)
    return system_error("get random bytes");
  // A random UUID of RFC 4122: version 4, variant 1.
  page.uuid[6] = static_cast<std::uint8_t>((page.uuid[6] & 0x0fU) | 0x40U);
  page.uuid[8] = static_cast<std::uint8_t>((page.uuid[8] & 0x3fU) | 0x80U);
  std::memcpy(page.signature, kSignature.data(), kSignature.size());
  return page;
}

Status fill(int fd, ByteSize size, uid_t uid, gid_t gid) {
  UMLFARM_ASSIGN(const SwapPage page, swap_page(size));
  if (::fchown(fd, uid, gid) != 0) return system_error("set owner");
  if (::ftruncate(fd, static_cast<off_t>(size.bytes())) != 0) return system_error("set size");
  std::array<std::uint8_t, kPage> bytes;
  std::memcpy(bytes.data(), &page, kPage);
  return posix::pwrite_all(fd, bytes, 0);
}

}  // namespace

Status create_swap(const std::string& path, ByteSize size, mode_t mode, uid_t uid, gid_t gid) {
  if (size < kLeast || size > kMost || size.bytes() % kPage != 0) {
    return Error(Kind::Invalid, "swap of " + size.str() + " is not possible: give a multiple of 4 KiB from " +
                                    kLeast.str() + " to " + kMost.str());
  }
  UMLFARM_ASSIGN(StagedFile staged, StagedFile::create(path, mode));
  auto filled = fill(staged.fd(), size, uid, gid);
  if (!filled) return std::move(filled).error().context("create swap disk " + path);
  return staged.publish();
}

}  // namespace umlfarm::guest
