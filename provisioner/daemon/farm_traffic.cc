// Counts what guests' taps carry, and holds the taps to what is promised and left.
#include <set>

#include "provisioner/base/clock.h"
#include "provisioner/daemon/farm.h"

namespace umlfarm::daemon {
namespace {

std::string used_up_message(const quota::Limits& limits, const std::string& month) {
  std::string what = "its " + limits.traffic.str() + " of " + month + " are used up";
  switch (limits.traffic_end) {
    case quota::TrafficEnd::Warn:
      break;
    case quota::TrafficEnd::Throttle:
      return what + ": it has " + limits.throttled_rate.str() + "/s until the month ends";
    case quota::TrafficEnd::Stop:
      return what + ": nothing passes until the month ends, or it is given more";
  }
  return what;
}

}  // namespace

quota::TapLimits Farm::tap_limits(const GuestRecord& record) const {
  return quota::tap_limits(record.limits, traffic_.of(record.number));
}

quota::Traffic Farm::traffic(const Guest& guest, const guest::Counters& counters) const {
  return traffic_.with(counters, tap_of(guest.record), guest.record.number, quota::month_of(wall_clock_ms()));
}

Status Farm::count_traffic() {
  // Counters that were read before those that were counted last would look as if they had begun anew.
  const std::lock_guard lock(counting_traffic_);
  UMLFARM_ASSIGN(const guest::Counters counters, network_->counters());
  const std::vector<GuestRecord> records = table_.records();
  std::map<std::string, std::int64_t> guests;
  for (const GuestRecord& record : records) guests[tap_of(record)] = record.number;
  forget_taps_of_others(records);
  Status kept = traffic_.count(counters, guests, quota::month_of(wall_clock_ms()));
  for (const GuestRecord& record : records) {
    (void)!limit_network(record);
    const quota::Traffic traffic = traffic_.of(record.number);
    const bool used_up = quota::used_up(traffic, record.limits);
    if (traffic.told == used_up) continue;
    UMLFARM_TRY(traffic_.set_told(record.number, used_up));
    if (used_up) event(record.name, "traffic", used_up_message(record.limits, traffic.month));
  }
  return kept;
}

void Farm::forget_taps_of_others(const std::vector<GuestRecord>& records) {
  std::set<std::int64_t> numbers;
  for (const GuestRecord& record : records) numbers.insert(record.number);
  const auto gone = [&](const auto& entry) { return !numbers.contains(entry.first); };
  const std::lock_guard lock(taps_mutex_);
  std::erase_if(tap_limits_, gone);
  std::erase_if(tap_faults_, gone);
}

Status Farm::limit_network(const GuestRecord& record) {
  const std::lock_guard lock(taps_mutex_);
  const auto guest = table_.find(record.number);
  return guest ? limit_tap(record, guest->record.limits) : Status();
}

Status Farm::limit_tap(const GuestRecord& record, const quota::Limits& limits) {
  const quota::TapLimits wanted = quota::tap_limits(limits, traffic_.of(record.number));
  const auto written = tap_limits_.find(record.number);
  if (written != tap_limits_.end() && written->second == wanted) return {};
  const auto limited = network_->limit_guest({port_of(record, pool_), wanted});
  std::string& fault = tap_faults_[record.number];
  // One without a tap gets what is so then, with its tap.
  if (!limited || !*limited) tap_limits_.erase(record.number);
  if (limited) {
    if (*limited) tap_limits_[record.number] = wanted;
    fault.clear();
    return {};
  }
  if (fault != limited.error().message()) {
    fault = limited.error().message();
    event(record.name, "network", "its limits could not be set, and are tried again: " + fault);
  }
  return limited.error();
}

}  // namespace umlfarm::daemon
