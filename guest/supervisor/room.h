// Which of a guest's disks wait for room on the host's disk, by the word of its kernel. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace umlfarm::guest {

// The kernel may be hostile: what it says is believed, and passed on once a second at most.
class Room {
 public:
  // "ubda waits for room on the host" or "ubda goes on"; anything else is nothing. Milliseconds.
  void on_notification(std::string_view text, std::int64_t now);

  // Whether any waits, as it was last told.
  bool waits() const { return told_; }

  // When there is news to tell.
  std::optional<std::int64_t> next() const;
  // Takes the news, if there is any by now.
  bool due(std::int64_t now);

 private:
  std::uint32_t waiting_ = 0;  // one bit for each disk
  bool told_ = false;
  std::int64_t may_tell_ms_ = 0;
};

}  // namespace umlfarm::guest
