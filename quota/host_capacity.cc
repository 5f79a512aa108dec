#include "quota/host_capacity.h"

#include <sys/statvfs.h>

#include <algorithm>
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

constexpr std::uint64_t kPage = 4096;

}  // namespace

std::string mappings_notice(const std::vector<Plan>& plans) {
  const auto text = posix::read_file("/proc/sys/vm/max_map_count");
  std::uint64_t most = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), most);
  return most == 0 ? "" : mappings_notice(plans, most);
}

std::string mappings_notice(const std::vector<Plan>& plans, std::uint64_t most_mappings) {
  const auto largest = std::max_element(plans.begin(), plans.end(), [](const Plan& a, const Plan& b) {
    return a.limits.memory < b.limits.memory;
  });
  if (largest == plans.end() || largest->limits.memory.bytes() / kPage <= most_mappings) return "";
  return "vm.max_map_count is " + std::to_string(most_mappings) + ": a process of a guest of plan '" +
         largest->name + "' that maps more pages than that dies; 'sysctl -w vm.max_map_count=" +
         std::to_string(largest->limits.memory.bytes() / kPage + 65'536) + "' makes room";
}

Result<HostCapacity> host_capacity(const std::string& state) {
  UMLFARM_ASSIGN(const ByteSize memory, total_memory());
  struct statvfs disk {};
  if (::statvfs(state.c_str(), &disk) < 0) return system_error("size of the filesystem at " + state);
  return HostCapacity{memory, ByteSize(disk.f_frsize * disk.f_blocks)};
}

}  // namespace umlfarm::quota
