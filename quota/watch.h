// Looks at guests' host processes, and says when one has too many, or one of them never rests. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace umlfarm::quota {

struct WatchRules {
  unsigned processes_percent = 90;  // of those that it may have; 0: never
  unsigned busy_percent = 95;       // of one processor, that a process takes; 0: never
  unsigned busy_minutes = 60;       // for as long
};

struct GuestProcesses {
  std::string id;
  std::uint64_t count = 0;
  std::uint64_t limit = 0;
  std::optional<double>
      busiest;  // processors that its busiest process took since the last look, where it is known
};

struct Warning {
  std::string id;
  std::string kind;     // "processes" or "busy"
  std::string message;  // for people
};

class Watch {
 public:
  explicit Watch(WatchRules rules) : rules_(rules) {}

  // Of all guests that run. Each is warned of once, until it has been over for a look.
  std::vector<Warning> look(const std::vector<GuestProcesses>& guests, std::int64_t now_ms);

 private:
  struct Seen {
    std::uint64_t count = 0;
    bool told_of_processes = false;
    std::int64_t busy_since_ms = 0;  // 0: it is not
    bool told_of_busy = false;
  };
  std::optional<Warning> too_many(const GuestProcesses& guest, Seen& seen) const;
  std::optional<Warning> never_rests(const GuestProcesses& guest, Seen& seen, std::int64_t now_ms) const;

  WatchRules rules_;
  std::map<std::string, Seen> seen_;
};

// Of processor time in ticks by process, then and now: the most that one of them took.
std::uint64_t most_gained(const std::map<int, std::uint64_t>& before,
                          const std::map<int, std::uint64_t>& now);
// Of the text of /proc/PID/stat: ticks in user and system mode together; nothing for anything else.
std::optional<std::uint64_t> ticks_of(std::string_view stat);

}  // namespace umlfarm::quota
