#include "provisioner/daemon/reconciler.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <thread>

#include "provisioner/base/clock.h"
#include "provisioner/base/failpoint.h"
#include "provisioner/daemon/exit_policy.h"

namespace umlfarm::daemon {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds kMostForABoot(20);

unsigned at_once(const config::Guests& settings) {
  return settings.parallel * std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace

Reconciler::Reconciler(GuestTable& table, Effects& effects, const config::Guests& settings,
                       asio::io_context& timers, Hooks hooks)
    : table_(table),
      effects_(effects),
      settings_(settings),
      timers_(timers),
      hooks_(std::move(hooks)),
      boots_(at_once(settings)),
      workers_(at_once(settings)) {}

void Reconciler::kick(std::int64_t number) {
  if (!table_.begin_work(number)) return;
  asio::post(workers_, [this, number] { work(number); });
}

void Reconciler::kick_after(std::int64_t number, std::int64_t delay_ms) {
  after(std::chrono::milliseconds(delay_ms), [this, number] { kick(number); });
}

void Reconciler::after(std::chrono::milliseconds delay, std::function<void()> then) {
  auto timer = std::make_shared<asio::steady_timer>(timers_, delay);
  timer->async_wait([timer, then = std::move(then)](const boost::system::error_code& stopped) {
    if (!stopped) then();
  });
}

void Reconciler::booted(std::int64_t number) { call_up(boots_.free_place(number)); }

void Reconciler::call_up(std::optional<std::int64_t> next) {
  if (next) kick(*next);
}

bool Reconciler::may_boot(std::int64_t number) {
  if (!boots_.enter(number)) return false;
  // One that never becomes ready must not hold up the others.
  after(kMostForABoot, [this, number] { booted(number); });
  return true;
}

void Reconciler::post(std::function<void()> work) { asio::post(workers_, std::move(work)); }

void Reconciler::later(std::int64_t delay_ms, std::function<void()> work) {
  after(std::chrono::milliseconds(delay_ms), [this, work = std::move(work)] { post(work); });
}

void Reconciler::hand_back(std::int64_t number) {
  if (!table_.end_work(number)) asio::post(workers_, [this, number] { work(number); });
}

void Reconciler::stop() {
  workers_.stop();
  workers_.join();
}

void Reconciler::work(std::int64_t number) {
  do {
    while (step(number)) {
    }
  } while (!table_.end_work(number));
}

bool Reconciler::step(std::int64_t number) {
  const auto guest = table_.find(number);
  if (!guest) return false;
  const GuestRecord& record = guest->record;
  const Observed observed = effects_.observe(record);
  table_.update_live(number, [&](Live& live) { live.supervised = observed.supervised; });
  const Plan todo = plan(record, observed, wall_clock_ms());
  const bool boots = !todo.actions.empty() && todo.actions.back() == Action::Launch;
  if (boots && !may_boot(number)) return false;
  if (!boots && !observed.supervised) call_up(boots_.leave(number));
  for (const Action action : todo.actions) {
    failpoint(action_name(action), "before");
    const auto begun = std::chrono::steady_clock::now();
    const Status done = perform(action, record);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    hooks_.tried(action, took.count(), done.has_value());
    failpoint(action_name(action), "after");
    if (!done) {
      on_failure(record, action, done.error());
      return false;
    }
    if (action == Action::Forget) return false;
  }
  table_.update_live(number, [](Live& live) {
    live.trouble.clear();
    live.failures = 0;
  });
  if (observed.supervised) {
    // Whoever follows it hears of its end.
    hooks_.supervised(number);
    return false;
  }
  if (!todo.actions.empty()) return true;
  if (todo.again_ms > 0) kick_after(number, todo.again_ms);
  return false;
}

Status Reconciler::perform(Action action, const GuestRecord& record) {
  if (action == Action::RecordExit) return record_exit(record);
  if (action == Action::Forget) {
    UMLFARM_TRY(table_.forget(record.number));
    hooks_.event(record.name, "deleted", "deleted");
    return {};
  }
  UMLFARM_TRY(effects_.perform(action, record));
  if (action == Action::Launch)
    hooks_.event(record.name, "started", "kernel " + record.identity.kernel + " runs");
  return {};
}

Status Reconciler::record_exit(const GuestRecord& record) {
  UMLFARM_ASSIGN(const ExitNotice notice, effects_.read_exit(record));
  bool failed = false;
  UMLFARM_TRY(table_.update(record.number, [&](GuestRecord& changed) {
    changed = after_exit(std::move(changed), notice, settings_.restarts);
    failed = !changed.failure.empty();
  }));
  hooks_.event(record.name, notice.cause, notice.detail);
  if (failed)
    hooks_.event(record.name, "failed", "given up after too many deaths in a row; see 'umlfarm logs'");
  return effects_.clear_exit(record);
}

void Reconciler::on_failure(const GuestRecord& record, Action action, const Error& error) {
  const std::string trouble = std::string(action_name(action)) + ": " + error.message();
  unsigned failures = 0;
  table_.update_live(record.number, [&](Live& live) {
    live.trouble = trouble;
    failures = ++live.failures;
  });
  // Given up already, it is only cleared away: that has no hurry, and no end.
  const bool starting = should_run(record);
  const bool hopeless = !worth_retrying(action, error.kind()) || failures > settings_.restarts;
  if (starting && hopeless) {
    const Status kept =
        table_.update(record.number, [&](GuestRecord& changed) { changed.failure = trouble; });
    hooks_.event(record.name, "failed", trouble);
    // What the attempt left is cleared away.
    if (kept) return kick_after(record.number, 0);
  } else if (failures == 1) {
    hooks_.event(record.name, "trouble", trouble);
  }
  booted(record.number);
  kick_after(record.number, backoff(failures));
}

}  // namespace umlfarm::daemon
