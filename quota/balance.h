// Which guest moves to another of the host's processors when load has shifted. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace umlfarm::quota {

// A guest that runs on one processor, and how much of a processor's time it has used of late: 0 to 1.
struct GuestLoad {
  std::string guest;
  int processor = 0;
  double load = 0;
};

struct Move {
  std::string guest;
  int from = 0;
  int to = 0;
};

// Looks at the loads again and again. One guest moves at a time, when the busiest processor has been ahead of
// the least busy one for several looks in a row, and the move makes the difference a tenth of a processor
// smaller or more; a guest that has moved stays for a while. So guests do not go to and fro.
class Balance {
 public:
  explicit Balance(std::vector<int> processors) : processors_(std::move(processors)) {}

  // `elsewhere`: load by processor of what does not move, such as guests of many processors. `now_ms` is
  // monotonic.
  std::optional<Move> look(const std::vector<GuestLoad>& guests, const std::map<int, double>& elsewhere,
                           std::int64_t now_ms);

 private:
  std::vector<int> processors_;
  unsigned uneven_ = 0;  // looks in a row
  std::map<std::string, std::int64_t> moved_ms_;
};

}  // namespace umlfarm::quota
