// Counts what guests have used, for bills.
#include <spdlog/spdlog.h>

#include "provisioner/base/clock.h"
#include "provisioner/base/posix.h"
#include "provisioner/daemon/farm.h"
#include "provisioner/daemon/launcher.h"
#include "quota/cost.h"

namespace umlfarm::daemon {
namespace {

quota::Moment this_moment() { return {wall_clock_ms(), uptime_ms(), boot_id()}; }

}  // namespace

quota::UseReading Farm::read_use(const Guest& guest, const quota::Moment& at) const {
  const GuestRecord& record = guest.record;
  const std::string id = record.id();
  quota::UseReading reading;
  const std::string life = cgroups_.life_of(id);
  if (!life.empty()) {
    // Their numbers are given again after a start of the host.
    reading.cpu_made = at.boot + " " + life;
    reading.cpu_ns = cgroups_.cpu_ns(id);
    reading.memory_held = cgroups_.usage(id, "memory").memory_file.bytes();
  }
  reading.traffic = traffic_.of(record.number).ever;
  reading.memory = quota::backed_memory(record.limits).bytes();
  reading.disk = record.limits.disk.bytes() + record.limits.swap.bytes();
  reading.disk_held = posix::allocated(settings_.paths.disk(id)) + posix::allocated(settings_.paths.swap(id));
  // Also of one whose supervisor has not been heard since the daemon came.
  reading.running = supervisor_holds(settings_.paths.guest_run(id));
  const std::int64_t said = guest.live.status.started_ms;
  reading.started_ms = said != 0 ? said : record.started_ms;
  reading.ended_ms = record.last_exit_ms;
  reading.suspended = !record.suspended.empty();
  return reading;
}

Status Farm::count_uses() {
  Status kept = uses_.count([this] {
    const quota::Moment at = this_moment();
    std::vector<GuestReading> readings;
    for (const Guest& guest : table_.all()) readings.push_back({guest.record, read_use(guest, at)});
    return std::pair(std::move(readings), at);
  });
  if (!kept) spdlog::error("what guests use is not counted, and will be later: {}", kept.error().message());
  return kept;
}

Status Farm::count_use_of(std::int64_t number) {
  return uses_.count([&] {
    const quota::Moment at = this_moment();
    std::vector<GuestReading> readings;
    if (const auto guest = table_.find(number)) readings.push_back({guest->record, read_use(*guest, at)});
    return std::pair(std::move(readings), at);
  });
}

void Farm::count_last_use(const GuestRecord& record) {
  // Of one that is deleted, those of its traffic go as well.
  if (record.desired == Desired::Absent) (void)!count_traffic();
  const Status kept = count_use_of(record.number);
  // It must go all the same.
  if (!kept) spdlog::error("the last that {} used is not counted: {}", record.name, kept.error().message());
}

Status Farm::forget_old_uses() {
  using std::chrono::days;
  using std::chrono::hours;
  constexpr std::int64_t kHoursOfAMonth = 31 * hours(days(1)).count();
  const quota::Hour now = wall_clock_ms() / quota::kHourMs;
  return store_->forget_uses_before(now - kHoursOfAMonth * settings_.config.usage.keep_months);
}

void Farm::count_now() {
  (void)!count_traffic();
  (void)!count_uses();
}

Result<std::vector<UseSum>> Farm::uses(const UseQuery& query) {
  // Where it can't be counted now, what is kept is told.
  count_now();
  UMLFARM_ASSIGN(std::vector<UseSum> sums, store_->sum_uses(query));
  if (sums.size() <= kMostUses) return sums;
  return Error(Kind::Invalid,
               "more than " + std::to_string(kMostUses) +
                   " lines of use: that is too much at once; ask for less, such as --guest NAME");
}

}  // namespace umlfarm::daemon
