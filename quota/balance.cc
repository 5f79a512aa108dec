#include "quota/balance.h"

#include <algorithm>
#include <cmath>

namespace umlfarm::quota {
namespace {

// Of a processor. Less than this nobody would notice.
constexpr double kUneven = 0.3;
// What a move must gain, of that difference.
constexpr double kGain = 0.1;
constexpr unsigned kLooks = 3;
constexpr std::int64_t kStaysMs = 60'000;

}  // namespace

std::optional<Move> Balance::look(const std::vector<GuestLoad>& guests,
                                  const std::map<int, double>& elsewhere, std::int64_t now_ms) {
  std::map<int, double> load;
  for (const int processor : processors_) {
    const auto there = elsewhere.find(processor);
    load[processor] = there == elsewhere.end() ? 0 : there->second;
  }
  for (const GuestLoad& guest : guests) {
    if (load.contains(guest.processor)) load[guest.processor] += guest.load;
  }
  if (load.size() < 2) return {};
  const auto by_load = [](const auto& a, const auto& b) { return a.second < b.second; };
  const auto busiest = std::max_element(load.begin(), load.end(), by_load);
  const auto least = std::min_element(load.begin(), load.end(), by_load);
  const double ahead = busiest->second - least->second;
  std::erase_if(moved_ms_, [&](const auto& entry) { return now_ms - entry.second >= kStaysMs; });
  const GuestLoad* best = nullptr;
  for (const GuestLoad& guest : guests) {
    // Afterwards the difference is |ahead - 2 load|.
    if (guest.processor != busiest->first || std::abs(ahead - 2 * guest.load) > ahead - kGain) continue;
    if (moved_ms_.contains(guest.guest)) continue;
    if (best == nullptr || std::abs(ahead - 2 * guest.load) < std::abs(ahead - 2 * best->load)) best = &guest;
  }
  uneven_ = ahead > kUneven && best != nullptr ? uneven_ + 1 : 0;
  if (uneven_ < kLooks) return {};
  uneven_ = 0;
  moved_ms_[best->guest] = now_ms;
  return Move{best->guest, busiest->first, least->first};
}

}  // namespace umlfarm::quota
