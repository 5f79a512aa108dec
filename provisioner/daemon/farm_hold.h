// For those parts of the farm that work on a guest beside the reconciler.
#pragma once

#include <chrono>
#include <memory>
#include <thread>

#include "provisioner/base/clock.h"
#include "provisioner/daemon/farm.h"

namespace umlfarm::daemon {

// Keeps workers from the guest while its limits are changed.
class Farm::Hold {
 public:
  static Result<std::unique_ptr<Hold>> take(Farm& farm, const Guest& guest, int patience_ms) {
    const std::int64_t until = monotonic_ms() + patience_ms;
    while (!farm.table_.begin_work(guest.record.number)) {
      if (!farm.table_.find(guest.record.number)) {
        return Error(Kind::NotFound, "guest '" + guest.record.name + "' is gone");
      }
      if (monotonic_ms() >= until) {
        return Error(Kind::Conflict,
                     "guest '" + guest.record.name + "' is being worked on; try again in a moment");
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return std::unique_ptr<Hold>(new Hold(farm, guest.record.number));
  }
  ~Hold() { farm_.reconciler_.hand_back(number_); }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

 private:
  Hold(Farm& farm, std::int64_t number) : farm_(farm), number_(number) {}
  Farm& farm_;
  std::int64_t number_;
};

}  // namespace umlfarm::daemon
