// Keeps guests spread over the host's processors by what they use of them.
#include <algorithm>

#include "provisioner/base/clock.h"
#include "provisioner/daemon/farm.h"

namespace umlfarm::daemon {
namespace {

constexpr double kNsPerMs = 1e6;
// A thread that is just being made has its maker's processor: so they are looked at again, until none is
// found elsewhere.
constexpr unsigned kMostRounds = 20;

}  // namespace

void Farm::balance_guests() {
  const std::int64_t now = monotonic_ms();
  std::map<std::string, Spent> spent;
  std::vector<quota::GuestLoad> movable;
  std::map<int, double> elsewhere;
  for (const auto& [guest, processors] : processors_.all()) {
    const std::uint64_t cpu_ns = cgroups_.cpu_ns(guest);
    spent[guest] = {cpu_ns, now};
    const auto before = spent_.find(guest);
    if (before == spent_.end() || cpu_ns < before->second.cpu_ns || now <= before->second.at_ms) continue;
    const double load = static_cast<double>(cpu_ns - before->second.cpu_ns) / kNsPerMs /
                        static_cast<double>(now - before->second.at_ms);
    if (processors.size() == 1) {
      movable.push_back({guest, processors.front(), load});
    } else {
      for (const int processor : processors)
        elsewhere[processor] += load / static_cast<double>(processors.size());
    }
  }
  spent_ = std::move(spent);
  if (const auto move = balance_.look(movable, elsewhere, now)) move_guest(*move);
}

void Farm::move_guest(const quota::Move& move) {
  bool moved = false;
  for (unsigned round = 0; round < kMostRounds; ++round) {
    std::vector<pid_t> threads = cgroups_.threads(move.guest);
    std::erase_if(threads, [&](pid_t thread) {
      return quota::Processors::of_thread(thread) == std::vector<int>{move.to};
    });
    moved = threads.empty() && round != 0;
    if (threads.empty()) break;
    quota::Processors::move(threads, move.to);
  }
  if (!moved) return;
  processors_.put(move.guest, move.to);
  const auto guests = table_.all();
  const auto found = std::find_if(guests.begin(), guests.end(),
                                  [&](const Guest& guest) { return guest.record.id() == move.guest; });
  if (found == guests.end()) return;
  event(found->record.name, "moved",
        "from processor " + std::to_string(move.from) + " to " + std::to_string(move.to) +
            ", which had less to do");
}

}  // namespace umlfarm::daemon
