#include "quota/host_load.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <sstream>

#include "provisioner/base/posix.h"
#include "quota/meminfo.h"

namespace umlfarm::quota {
namespace {

constexpr double kUsPerSecond = 1e6;

}  // namespace

ByteSize memory_used(std::string_view meminfo) {
  const std::uint64_t total = meminfo_kib(meminfo, "MemTotal").value_or(0);
  return ByteSize::kib(total - std::min(total, meminfo_kib(meminfo, "MemAvailable").value_or(0)));
}

// Its first line: user, nice, system, idle, iowait, irq, softirq, steal; what guests of the host's own take
// is in the first two already.
double busy_seconds(std::string_view stat, long ticks_per_second) {
  std::istringstream words{std::string(stat.substr(0, stat.find('\n')))};
  std::string cpu;
  std::uint64_t user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0;
  words >> cpu >> user >> nice >> system >> idle >> iowait >> irq >> softirq;
  if (cpu != "cpu") return 0;
  return static_cast<double>(user + nice + system + irq + softirq) / static_cast<double>(ticks_per_second);
}

double waiting_seconds(std::string_view pressure) {
  constexpr std::string_view kTotal = "total=";
  const std::size_t at = pressure.find(kTotal);
  if (!pressure.starts_with("some ") || at == std::string_view::npos) return 0;
  std::uint64_t us = 0;
  std::from_chars(pressure.data() + at + kTotal.size(), pressure.data() + pressure.size(), us);
  return static_cast<double>(us) / kUsPerSecond;
}

HostLoad host_load(const std::string& state) {
  HostLoad load;
  if (const auto text = posix::read_file("/proc/meminfo")) load.memory_used = memory_used(*text);
  if (const auto text = posix::read_file("/proc/stat"))
    load.busy_seconds = busy_seconds(*text, ::sysconf(_SC_CLK_TCK));
  for (const char* const resource : {"cpu", "io", "memory"}) {
    if (const auto text = posix::read_file(std::string("/proc/pressure/") + resource))
      load.waiting_seconds[resource] = waiting_seconds(*text);
  }
  struct statvfs disk {};
  if (::statvfs(state.c_str(), &disk) == 0)
    // What a filesystem keeps for root is not there for guests.
    load.disk_used = ByteSize(disk.f_frsize * (disk.f_blocks - disk.f_bavail));
  return load;
}

}  // namespace umlfarm::quota
