#include "quota/host_capacity.h"

#include <sys/statvfs.h>

#include <charconv>

#include "provisioner/base/posix.h"

namespace umlfarm::quota {
namespace {

Result<ByteSize> total_memory() {
  UMLFARM_ASSIGN(const std::string text, posix::read_file("/proc/meminfo"));
  constexpr std::string_view kLabel = "MemTotal:";
  const std::size_t at = text.find(kLabel);
  const std::size_t digits =
      at == std::string::npos ? at : text.find_first_of("0123456789", at + kLabel.size());
  std::uint64_t kib = 0;
  if (digits != std::string::npos) std::from_chars(text.data() + digits, text.data() + text.size(), kib);
  if (kib == 0) return Error(Kind::Unavailable, "/proc/meminfo has no MemTotal");
  return ByteSize::kib(kib);
}

}  // namespace

Result<HostCapacity> host_capacity(const std::string& state) {
  UMLFARM_ASSIGN(const ByteSize memory, total_memory());
  struct statvfs disk {};
  if (::statvfs(state.c_str(), &disk) < 0) return system_error("size of the filesystem at " + state);
  return HostCapacity{memory, ByteSize(disk.f_frsize * disk.f_blocks)};
}

}  // namespace umlfarm::quota
