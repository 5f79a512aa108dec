// A guest's surroundings as the reconciler's actions change them, for what no host is needed to try.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "provisioner/daemon/effects.h"
#include "provisioner/daemon/guest_record.h"
#include "provisioner/daemon/reconcile.h"

namespace umlfarm::daemon {

inline constexpr std::int64_t kHour = 3'600'000;
inline constexpr std::int64_t kNow = 500'000 * kHour;

// Every reading that observe() can give, the ones that should not occur included.
std::vector<Observed> all_observations();
// Records of every desired state, failure, wish to restart, number of deaths, age of the last one, and swap.
std::vector<GuestRecord> all_records();
std::string describe(const GuestRecord& record, const Observed& observed);

class World {
 public:
  // What was seen, and where a start has begun, all that a start can leave.
  World(GuestRecord record, const Observed& observed);

  const GuestRecord& record() const { return record_; }
  const Observed& observed() const { return observed_; }
  std::int64_t now_ms() const { return now_ms_; }
  // Nothing is left of the guest.
  bool gone() const { return !row_; }
  // There is something on the host beside the guest's files.
  bool residue() const { return observed_.run_directory || network_ || cgroups_ || processes_; }
  // What an action found that it must never find; empty: nothing.
  const std::string& broken() const { return broken_; }

  void perform(Action action);
  // As far as an action comes whose daemon dies in its middle.
  void perform_half(Action action);
  void wait(std::int64_t ms) { now_ms_ += ms; }
  // The supervisor goes and leaves an exit record.
  void end_guest(const std::string& cause);
  // It goes and leaves none.
  void lose_supervisor();

 private:
  void require(bool good, Action action, const char* what);
  void make(Action action);
  void launch();
  void record_exit();
  void clear(Action action);
  void remove_files();
  void forget();

  GuestRecord record_;
  Observed observed_;
  bool network_ = false;
  bool cgroups_ = false;
  bool processes_ = false;
  bool swap_ = false;  // made for the next boot
  bool row_ = true;
  ExitNotice notice_;
  std::int64_t now_ms_ = kNow;
  std::string broken_;
};

}  // namespace umlfarm::daemon
