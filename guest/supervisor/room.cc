#include "guest/supervisor/room.h"

namespace umlfarm::guest {
namespace {

constexpr std::int64_t kRestMs = 1000;
constexpr std::string_view kDisk = "ubd";
constexpr unsigned kDisks = 16;
// As guest/kernel/patches has them.
constexpr std::string_view kWaits = " waits for room on the host";
constexpr std::string_view kGoesOn = " goes on";

}  // namespace

void Room::on_notification(std::string_view text, std::int64_t now) {
  if (!text.starts_with(kDisk) || text.size() == kDisk.size()) return;
  const auto disk = static_cast<unsigned>(text[kDisk.size()] - 'a');
  if (disk >= kDisks) return;
  const std::string_view what = text.substr(kDisk.size() + 1);
  if (what == kWaits) waiting_ |= 1U << disk;
  if (what == kGoesOn) waiting_ &= ~(1U << disk);
  if (may_tell_ms_ == 0) may_tell_ms_ = now;
}

std::optional<std::int64_t> Room::next() const {
  if ((waiting_ != 0) == told_) return std::nullopt;
  return may_tell_ms_;
}

bool Room::due(std::int64_t now) {
  const auto when = next();
  if (!when || *when > now) return false;
  told_ = waiting_ != 0;
  may_tell_ms_ = now + kRestMs;
  return true;
}

}  // namespace umlfarm::guest
