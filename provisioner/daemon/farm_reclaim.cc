// While the host waits for memory, idle guests are asked for what they only cache.
#include "provisioner/base/clock.h"
#include "provisioner/base/posix.h"
#include "provisioner/daemon/farm.h"
#include "provisioner/daemon/farm_hold.h"
#include "provisioner/daemon/kernel_needs.h"

namespace umlfarm::daemon {
void Farm::reclaim_memory() {
  const auto text = posix::read_file("/proc/pressure/memory");
  const std::optional<double> pressure = text ? quota::memory_pressure(*text) : std::nullopt;
  if (!pressure || *pressure < settings_.config.guests.reclaim_pressure) return;
  std::map<std::string, Guest> candidates;
  std::vector<quota::GuestMemoryUse> uses;
  for (const Guest& guest : table_.all()) {
    const GuestRecord& record = guest.record;
    // One that has more than the host gives it has most of it never touched: that would be found first.
    if (quota::backed_memory(record.limits) < record.limits.memory) continue;
    if (!guest.live.supervised || guest.live.status.ready_ms == 0 ||
        !check_tells_memory(record.identity.kernel, record.identity.kernel_features)) {
      continue;
    }
    const quota::Usage usage = cgroups_.usage(record.id());
    uses.push_back({record.id(), usage.cpu_ns, usage.memory_file});
    candidates.emplace(record.id(), guest);
  }
  if (const auto named = reclaim_.look(uses, monotonic_ms())) reclaim_from(candidates.at(*named));
}

// Pages that the guest takes away from its caches and has again are no longer the host's to keep.
void Farm::reclaim_from(const Guest& guest) {
  const auto hold = Hold::take(*this, guest, 0);
  const auto now = table_.find(guest.record.number);
  // What it has may not be what it is promised yet; then it is moved already.
  if (!hold || !now || now->live.fitted_ms != now->live.status.started_ms) return;
  const GuestRecord& record = now->record;
  const auto before = memory_held(record);
  const GuestMemory memory = memory_of(record);
  const auto spare = memory.not_missed();
  if (!spare || spare->bytes() == 0 || *spare >= record.limits.memory) return;
  const auto least = memory.set(ByteSize(record.limits.memory.bytes() - spare->bytes()));
  // Whatever came of it: it gets back what it is promised, here or where every promise is looked after.
  const auto again = memory_of(record).set(record.limits.memory);
  if (!again || *again != record.limits.memory) refit(record.number);
  const auto after = memory_held(record);
  if (!before || !least || !after || *after >= *before) return;
  event(record.name, "reclaimed",
        human_size(before->bytes() - after->bytes()) +
            " that it only cached went back to the host, which waits for memory");
}

}  // namespace umlfarm::daemon
