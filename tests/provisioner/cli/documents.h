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
          {"user", ""},
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

// A tenant with a limit of guests, and a user with one of memory.
inline boost::json::object tenant_document() {
  const boost::json::object promised{
      {"guests", 3}, {"memory", 192 * kMiB}, {"disk", 3072 * kMiB}, {"processors", 3}};
  boost::json::object limits{{"guests", 10}, {"memory", nullptr}, {"disk", nullptr}, {"processors", nullptr}};
  boost::json::object each_user{
      {"guests", nullptr}, {"memory", 256 * kMiB}, {"disk", nullptr}, {"processors", nullptr}};
  return {{"name", "physics"},
          {"limits", std::move(limits)},
          {"each_user", std::move(each_user)},
          {"promised", promised},
          {"users", {{"alice", promised}}}};
}

// A host with two cells, a virtual machine of someone else, and more processors promised than it has for
// guests.
inline boost::json::object host_document() {
  const auto share = [](std::int64_t has, std::int64_t domains, std::int64_t reserve, int percent,
                        std::int64_t capacity, std::int64_t promised) {
    return boost::json::object{{"has", has},         {"domains", domains},   {"reserve", reserve},
                               {"percent", percent}, {"capacity", capacity}, {"promised", promised}};
  };
  return {{"source", "qemu:///system"},
          {"domains", 1},
          {"disk_quota", "none"},
          {"cells", {8192 * kMiB, 8192 * kMiB}},
          {"memory", share(16384 * kMiB, 4096 * kMiB, 2048 * kMiB, 150, 15360 * kMiB, 1024 * kMiB)},
          {"disk", share(102400 * kMiB, 0, 2048 * kMiB, 200, 200704 * kMiB, 0)},
          {"processors", share(4, 0, 0, 1000, 40, 50)}};
}

// What a guest uses: 64 MiB of its own, `cpu_ms` of processor time at `time_ms`.
inline boost::json::object usage_document(const char* name, std::int64_t time_ms, std::int64_t cpu_ms) {
  return {{"name", name},
          {"plan", "small"},
          {"state", "ready"},
          {"time_ms", time_ms},
          {"memory", {{"limit", 256 * kMiB}, {"ceiling", 512 * kMiB}, {"used", 64 * kMiB}}},
          {"host_memory", {{"limit", 370 * kMiB}, {"used", 80 * kMiB}, {"peak", 100 * kMiB}, {"kills", 0}}},
          {"processes", {{"limit", 544}, {"used", 20}, {"peak", 0}}},
          {"cpu",
           {{"processors", 1},
            {"weight", 100},
            {"percent", 50},
            {"used_ns", cpu_ms * 1'000'000},
            {"held_ns", 0}}},
          {"network",
           {{"limit", 0},
            {"used", 3 * kMiB},
            {"month", "2026-11"},
            {"this_month", {{"in", kMiB}, {"out", 2 * kMiB}}},
            {"ever", {{"in", cpu_ms * 1024}, {"out", 10 * kMiB}}},
            {"held_to", {{"rate_in", 0}, {"rate_out", 0}, {"packets", 0}, {"closed", false}}}}},
          {"disk_io",
           {{"read", 5 * kMiB},
            {"written", 6 * kMiB},
            {"read_rate", 0},
            {"write_rate", 0},
            {"read_operations", 0},
            {"write_operations", 0}}},
          {"disk", {{"limit", 1024 * kMiB}, {"used", 2 * kMiB}}},
          {"swap", {{"limit", 0}, {"used", 0}}}};
}

}  // namespace umlfarm::cli
