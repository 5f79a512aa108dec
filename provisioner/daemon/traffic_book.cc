#include "provisioner/daemon/traffic_book.h"

namespace umlfarm::daemon {
namespace {

quota::Traffic counted(const quota::Traffic& before, const guest::Counters& counters, const std::string& tap,
                       const std::string& month) {
  return quota::counted(before, {counters.made, guest::carried_by(counters.by_tap, tap)}, month);
}

}  // namespace

Status TrafficBook::load() {
  const std::lock_guard lock(mutex_);
  UMLFARM_ASSIGN(guests_, store_.traffic());
  return {};
}

Status TrafficBook::count(const guest::Counters& counters,
                          const std::map<std::string, std::int64_t>& guests_by_tap,
                          const std::string& month) {
  const std::lock_guard lock(mutex_);
  std::map<std::int64_t, quota::Traffic> all;
  std::map<std::int64_t, quota::Traffic> changed;
  for (const auto& [tap, guest] : guests_by_tap) {
    const quota::Traffic before = guests_[guest];
    all[guest] = counted(before, counters, tap, month);
    if (all[guest] != before) changed[guest] = all[guest];
  }
  if (!changed.empty()) UMLFARM_TRY(store_.put_traffic(changed));
  guests_ = std::move(all);
  return {};
}

quota::Traffic TrafficBook::of(std::int64_t guest) const {
  const std::lock_guard lock(mutex_);
  const auto found = guests_.find(guest);
  return found == guests_.end() ? quota::Traffic{} : found->second;
}

quota::Traffic TrafficBook::with(const guest::Counters& counters, const std::string& tap, std::int64_t guest,
                                 const std::string& month) const {
  const quota::Traffic kept = of(guest);
  const quota::Carried now = guest::carried_by(counters.by_tap, tap);
  // What was read before it was last counted tells nothing new.
  const bool older =
      kept.seen.made == counters.made && (now.in < kept.seen.carried.in || now.out < kept.seen.carried.out);
  return older ? kept : counted(kept, counters, tap, month);
}

Status TrafficBook::set_told(std::int64_t guest, bool is_told) {
  const std::lock_guard lock(mutex_);
  quota::Traffic told = guests_[guest];
  told.told = is_told;
  UMLFARM_TRY(store_.put_traffic({{guest, told}}));
  guests_[guest] = std::move(told);
  return {};
}

}  // namespace umlfarm::daemon
