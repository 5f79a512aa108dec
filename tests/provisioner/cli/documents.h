// Documents as the daemon gives them.
#pragma once

#include <boost/json.hpp>
#include <cstdint>

namespace umlfarm::cli {

inline constexpr std::int64_t kNow = 1'795'496'889'000;  // 2026-11-24T05:08:09Z
inline constexpr std::int64_t kMiB = 1 << 20;

inline boost::json::object guest_document() {
  return {{"name", "alice"},
          {"id", "g17"},
          {"tenant", "default"},
          {"plan", "small"},
          {"image", "debian-12"},
          {"image_digest", "0123456789abcdef0123456789abcdef"},
          {"kernel", "strict"},
          {"kernel_digest", "fedcba9876543210fedcba9876543210"},
          {"userspace", "ptrace"},
          {"desired", "running"},
          {"state", "ready"},
          {"reason", ""},
          {"memory", 64 * kMiB},
          {"memory_allocated", 48 * kMiB},
          {"disk", 2048 * kMiB},
          {"disk_allocated", 3 * kMiB / 2},
          {"swap", 0},
          {"address4", "10.77.0.2"},
          {"address6", "fd75:6d6c:6661:726d::2"},
          {"mac", "02:00:0a:4d:00:02"},
          {"processors", {1}},
          {"created_ms", kNow - 90'000'000},
          {"started_ms", kNow - 7'500'000},
          {"ready_ms", kNow - 7'498'766},
          {"host_key", "ssh-ed25519 AAAA"},
          {"restarts", 2}};
}

}  // namespace umlfarm::cli
