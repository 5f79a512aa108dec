#include "quota/reclaim.h"

#include <cstdlib>

namespace umlfarm::quota {
namespace {

// A percent of a processor: an idle guest takes far less, one that serves somebody takes more.
constexpr std::uint64_t kIdleNsPerMs = 10'000;
constexpr std::int64_t kRestMs = 60'000;
// What was seen longer ago than that says nothing of now.
constexpr std::int64_t kStaleMs = 30'000;
// A guest that holds less has little to give.
constexpr ByteSize kWorthIt = ByteSize::mib(16);

}  // namespace

std::optional<double> memory_pressure(std::string_view text) {
  constexpr std::string_view kLabel = "some avg10=";
  const std::size_t at = text.find(kLabel);
  if (at == std::string_view::npos) return {};
  const std::string number(text.substr(at + kLabel.size(), 16));
  char* end = nullptr;
  const double share = std::strtod(number.c_str(), &end);
  if (end == number.c_str()) return {};
  return share;
}

std::optional<std::string> Reclaim::look(const std::vector<GuestMemoryUse>& guests, std::int64_t now_ms) {
  std::map<std::string, Seen> seen;
  const GuestMemoryUse* best = nullptr;
  for (const GuestMemoryUse& guest : guests) {
    const auto found = seen_.find(guest.guest);
    const Seen before = found == seen_.end() ? Seen() : found->second;
    seen[guest.guest] = {guest.cpu_ns, now_ms, before.named_ms};
    const std::int64_t passed = now_ms - before.at_ms;
    const bool known =
        found != seen_.end() && passed > 0 && passed < kStaleMs && guest.cpu_ns >= before.cpu_ns;
    const bool idle =
        known && guest.cpu_ns - before.cpu_ns <= kIdleNsPerMs * static_cast<std::uint64_t>(passed);
    const bool rested = before.named_ms == 0 || now_ms - before.named_ms >= kRestMs;
    if (idle && rested && guest.held >= kWorthIt && (best == nullptr || guest.held > best->held))
      best = &guest;
  }
  seen_ = std::move(seen);
  if (best == nullptr) return {};
  seen_[best->guest].named_ms = now_ms;
  return best->guest;
}

}  // namespace umlfarm::quota
