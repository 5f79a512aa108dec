// What supervisors say of their guests, and what it means to the farm.
#include <spdlog/spdlog.h>

#include "guest/boot/command_line.h"
#include "provisioner/base/clock.h"
#include "provisioner/base/posix.h"
#include "provisioner/daemon/farm.h"

namespace umlfarm::daemon {
namespace {

constexpr std::int64_t kSoonMs = 50;
// A guest may say that it waits as often as it likes.
constexpr std::int64_t kRoomEventMs = 60'000;

}  // namespace

void Farm::on_status(std::int64_t number, const guest::SupervisorStatus& status) {
  using State = guest::SupervisorStatus::State;
  const auto guest = table_.find(number);
  if (!guest) return;
  // A daemon may have moved it since its supervisor started it.
  const std::vector<int> on = quota::Processors::of_thread(status.init);
  processors_.learn(guest->record.id(),
                    status.processors.empty() || status.init == 0 || on.empty() ? status.processors : on);
  table_.update_live(number, [&](Live& live) {
    live.status = status;
    live.supervised = true;
  });
  if (status.state != State::Starting) reconciler_.booted(number);
  if (guest->live.fitted_ms != status.started_ms && guest->live.status.started_ms != status.started_ms) {
    reconciler_.post([this, number, started = status.started_ms] { fit_memory(number, started, kSoonMs); });
  }
  on_room(number, status.waits_for_room);
  const bool fresh =
      guest->record.started_ms != status.started_ms || guest->record.ready_ms != status.ready_ms;
  const bool ailing = status.state == State::Unhealthy && guest->live.status.state != State::Unhealthy;
  // The disk is waited for elsewhere: this is the loop's thread.
  if (fresh || ailing)
    reconciler_.post([this, number, status, ailing] { keep_news(number, status, ailing); });
}

void Farm::on_room(std::int64_t number, bool waits) {
  const std::int64_t now = monotonic_ms();
  bool news = false;
  bool early = false;
  table_.update_live(number, [&](Live& live) {
    if (waits == live.told_of_room) return;
    early = waits && live.room_ms != 0 && now - live.room_ms < kRoomEventMs;
    if (early) return;
    live.told_of_room = waits;
    if (waits) live.room_ms = now;
    news = true;
  });
  if (early) {
    // Where it still waits by then, that is told after all.
    reconciler_.later(kRoomEventMs, [this, number] {
      const auto guest = table_.find(number);
      if (guest && guest->live.status.waits_for_room) on_room(number, true);
    });
  }
  if (!news) return;
  reconciler_.post([this, number, waits] {
    const auto guest = table_.find(number);
    if (!guest) return;
    if (waits) {
      event(guest->record.name, "disk-waits",
            "waits for room on the disk of " + settings_.paths.state() +
                "; make some, and it goes on by itself, unless its own quota there is used up");
    } else {
      event(guest->record.name, "disk-goes-on", "goes on writing: there is room on the host's disk");
    }
  });
}

void Farm::keep_news(std::int64_t number, const guest::SupervisorStatus& status, bool ailing) {
  const auto guest = table_.find(number);
  if (!guest) return;
  if (ailing) event(guest->record.name, "unhealthy", "its kernel does not answer its management console");
  if (guest->record.started_ms == status.started_ms && guest->record.ready_ms == status.ready_ms) return;
  // From here on it runs, whatever is done to the clock until it is counted again; or it holds what it needs.
  (void)!count_use_of(number);
  // Lost to a full disk, it is only noted again after the next change.
  (void)!table_.update(number, [&](GuestRecord& record) {
    record.started_ms = status.started_ms;
    record.ready_ms = status.ready_ms;
  });
  if (status.ready_ms == 0) return;
  event(guest->record.name, "ready",
        "ready " + std::to_string(status.ready_ms - status.started_ms) + " ms after its start");
  learn_loops_per_jiffy(guest->record);
}

void Farm::on_gone(std::int64_t number, bool reached) {
  table_.update_live(number, [](Live& live) {
    live.status = {};
    live.told_of_room = false;
    live.busiest.reset();
    live.inside.reset();
  });
  // It may be only just starting, or hold on for its last moment.
  reconciler_.kick_after(number, reached ? 0 : kSoonMs);
}

// A kernel measures it only where the farm could not yet tell it: at its first boot here.
void Farm::learn_loops_per_jiffy(const GuestRecord& record) {
  const std::string& digest = record.identity.kernel_digest;
  if (loops_per_jiffy(digest) != 0) return;
  // The log's first lines are the kernel's own, from before its tenant had a say, unless they were rotated
  // away.
  if (posix::exists(settings_.paths.console_log(record.id()) + ".1")) return;
  const auto log = posix::read_file(settings_.paths.console_log(record.id()));
  const std::uint64_t loops = log ? guest::find_loops_per_jiffy(*log) : 0;
  if (loops == 0) return;
  const std::lock_guard lock(loops_mutex_);
  loops_[digest] = loops;
  auto kernels = store_->catalog(Catalog::Kernels);
  if (!kernels) return;
  for (CatalogEntry& kernel : *kernels) {
    if (kernel.digest != digest) continue;
    kernel.loops_per_jiffy = loops;
    if (Status kept = store_->put(Catalog::Kernels, kernel); !kept)
      spdlog::warn("{}", kept.error().message());
  }
}

std::uint64_t Farm::loops_per_jiffy(const std::string& kernel_digest) {
  const std::lock_guard lock(loops_mutex_);
  return loops_[kernel_digest];
}

}  // namespace umlfarm::daemon
