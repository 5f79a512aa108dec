#include "guest/supervisor/health.h"

namespace umlfarm::guest {
namespace {

constexpr std::int64_t kPeriod = 60'000;
constexpr std::int64_t kAgain = 2'000;
// One answer may be late under load without anything being wrong.
constexpr int kFailures = 2;

}  // namespace

void Health::on_ready(std::int64_t now) {
  // Said once: a guest that goes on saying so would have a round begun for each.
  if (!said_ready_) next_ = now;
  said_ready_ = true;
}

void Health::on_probed(std::int64_t now, bool answered) {
  failures_ = answered ? 0 : failures_ + 1;
  if (answered) state_ = State::Ready;
  if (failures_ >= kFailures) state_ = State::Unhealthy;
  next_ = now + (answered ? kPeriod : kAgain);
}

}  // namespace umlfarm::guest
