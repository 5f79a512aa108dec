#include "provisioner/base/clock.h"

#include <array>
#include <ctime>

#include "provisioner/base/posix.h"

namespace umlfarm {
namespace {

std::int64_t read_clock(clockid_t id) {
  timespec now{};
  ::clock_gettime(id, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

std::int64_t wall_clock_ms() { return read_clock(CLOCK_REALTIME); }
std::int64_t monotonic_ms() { return read_clock(CLOCK_MONOTONIC); }

std::int64_t uptime_ms() { return read_clock(CLOCK_BOOTTIME); }

std::string boot_id() {
  // Once: what can't be read for a moment would look like another start.
  static const std::string kId = [] {
    const auto id = posix::read_file("/proc/sys/kernel/random/boot_id");
    return id ? id->substr(0, id->find('\n')) : std::string();
  }();
  return kId;
}

std::string format_time(std::int64_t wall_ms) {
  const std::time_t seconds = wall_ms / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text.data(), length};
}

std::string format_duration(std::int64_t ms) {
  const std::int64_t seconds = ms < 0 ? 0 : ms / 1000;
  const std::int64_t days = seconds / 86400;
  const std::int64_t hours = seconds / 3600 % 24;
  const std::int64_t minutes = seconds / 60 % 60;
  if (days > 0) return std::to_string(days) + "d" + std::to_string(hours) + "h";
  if (hours > 0) return std::to_string(hours) + "h" + std::to_string(minutes) + "m";
  if (minutes > 0) return std::to_string(minutes) + "m" + std::to_string(seconds % 60) + "s";
  return std::to_string(seconds) + "s";
}

}  // namespace umlfarm
