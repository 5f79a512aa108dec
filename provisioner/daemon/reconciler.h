// Brings guests from what is to what should be: many at once, each by one worker at a time.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "provisioner/daemon/boot_queue.h"
#include "provisioner/daemon/effects.h"
#include "provisioner/daemon/guest_table.h"

namespace umlfarm::daemon {

class Reconciler {
 public:
  struct Hooks {
    std::function<void(const std::string& guest, const std::string& kind, const std::string& message)> event;
    // A supervisor holds the guest: to be followed.
    std::function<void(std::int64_t number)> supervised;
    // An action was tried.
    std::function<void(Action action, double seconds, bool done)> tried;
  };

  // `timers` is run by someone else; the workers are ours, and as many guests boot at once.
  Reconciler(GuestTable& table, Effects& effects, const config::Guests& settings,
             boost::asio::io_context& timers, Hooks hooks);

  // Something may have changed: look at the guest soon.
  void kick(std::int64_t number);
  void kick_after(std::int64_t number, std::int64_t delay_ms);
  // The guest's boot is over, well or not: another may boot in its place.
  void booted(std::int64_t number);
  // Work of another kind for the same workers.
  void post(std::function<void()> work);
  // The same after a while.
  void later(std::int64_t delay_ms, std::function<void()> work);
  // For someone who took the guest by begin_work(): gives it back, with what was asked of it meanwhile.
  void hand_back(std::int64_t number);
  // Lets the work under way end and takes no more.
  void stop();

 private:
  void after(std::chrono::milliseconds delay, std::function<void()> then);
  bool may_boot(std::int64_t number);
  void call_up(std::optional<std::int64_t> next);
  void work(std::int64_t number);
  // True when there is more to do at once.
  bool step(std::int64_t number);
  Status perform(Action action, const GuestRecord& record);
  Status record_exit(const GuestRecord& record);
  void on_failure(const GuestRecord& record, Action action, const Error& error);

  GuestTable& table_;
  Effects& effects_;
  const config::Guests& settings_;
  boost::asio::io_context& timers_;
  Hooks hooks_;
  BootQueue boots_;
  boost::asio::thread_pool workers_;
};

}  // namespace umlfarm::daemon
