// What guests have used, over a month in which the daemon is killed again and again.
#include "provisioner/daemon/use_book.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <random>

#include "provisioner/base/unique_fd.h"
#include "tests/provisioner/daemon/store_fixture.h"

namespace umlfarm::daemon {
namespace {

using quota::kHourMs;
using testing::is_ok;

constexpr std::size_t kGuests = 4;
constexpr std::int64_t kBegin = 1'793'491'200'000;  // 2026-11-01
constexpr std::int64_t kStep = 20 * 60'000;
constexpr int kSteps = 30 * 24 * 3;

// A guest of the simulation, and what it has really used.
struct Simulated {
  bool running = false;
  std::int64_t started_ms = 0;
  std::int64_t ended_ms = 0;
  std::int64_t life = 0;     // of its control group; 0: there is none
  std::uint64_t cpu_ns = 0;  // of that
  quota::Carried traffic;
  std::uint64_t all_cpu_ns = 0;
  std::uint64_t running_ms = 0;
};

// What goes to the process that counts; as it is in memory, as it is the same program.
struct Ask {
  std::int64_t wall_ms = 0;
  std::int64_t uptime_ms = 0;
  int boot = 0;
  std::array<Simulated, kGuests> guests;
};

// As its own process: counts what it is told until nobody tells it any more.
[[noreturn]] void count_until_the_end(int socket, const std::string& path) {
  const auto store = open_sqlite_store(path);
  if (!store) ::_exit(1);
  UseBook book(**store);
  const auto records = (*store)->guests();
  Ask ask;
  while (::recv(socket, &ask, sizeof ask, MSG_WAITALL) == sizeof ask) {
    const Status kept = book.count([&] {
      std::vector<GuestReading> readings;
      for (std::size_t i = 0; i < kGuests; ++i) {
        const Simulated& guest = ask.guests[i];
        quota::UseReading reading;
        if (guest.life != 0) reading.cpu_made = std::to_string(ask.boot) + " " + std::to_string(guest.life);
        reading.cpu_ns = guest.cpu_ns;
        reading.traffic = guest.traffic;
        reading.memory = (i + 1) << 30U;
        reading.memory_held = (i + 1) << 20U;
        reading.disk = (i + 1) << 33U;
        reading.disk_held = (i + 1) << 23U;
        reading.running = guest.running;
        reading.started_ms = guest.started_ms;
        reading.ended_ms = guest.ended_ms;
        readings.push_back({records->at(i), reading});
      }
      return std::pair(readings, quota::Moment{ask.wall_ms, ask.uptime_ms, std::to_string(ask.boot)});
    });
    const char answer = kept ? 1 : 0;
    if (::send(socket, &answer, 1, MSG_NOSIGNAL) != 1) break;
  }
  ::_exit(0);
}

class UseBookTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    add(1, kGuests);
    // From the beginning of the month on.
    UsesSeen seen;
    for (std::size_t i = 0; i < kGuests; ++i)
      seen[static_cast<std::int64_t>(i) + 1] = {{kBegin, 1000, "0"}, "", 0, {}, 0, 0};
    ASSERT_THAT(store_->add_uses({}, seen), is_ok());
    store_.reset();
    world_ = {kBegin, 1000, 0, {}};
  }
  void TearDown() override { end_daemon(); }

  void start_daemon() {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    daemon_ = ::fork();
    if (daemon_ == 0) {
      ::close(ends[0]);
      count_until_the_end(ends[1], path_);
    }
    ::close(ends[1]);
    socket_ = UniqueFd(ends[0]);
  }
  void end_daemon() {
    if (daemon_ <= 0) return;
    ::kill(daemon_, SIGKILL);
    ::waitpid(daemon_, nullptr, 0);
    daemon_ = -1;
  }
  // Has it counted, or is killed at any time of that, before and after included.
  void count(bool kill) {
    if (daemon_ <= 0) start_daemon();
    ASSERT_EQ(::send(socket_.get(), &world_, sizeof world_, MSG_NOSIGNAL),
              static_cast<ssize_t>(sizeof world_));
    if (kill) {
      ::usleep(static_cast<useconds_t>(random_() % 6000));
      end_daemon();
      ++kills_;
      return;
    }
    char answer = 0;
    ASSERT_EQ(::recv(socket_.get(), &answer, 1, 0), 1);
    ASSERT_EQ(answer, 1);
  }

  void pass(std::int64_t ms) {
    world_.wall_ms += ms;
    world_.uptime_ms += ms;
    for (std::size_t i = 0; i < kGuests; ++i) {
      Simulated& guest = world_.guests[i];
      if (!guest.running) continue;
      const auto cpu = static_cast<std::uint64_t>(ms) * (i + 1) * 1234 + random_() % 1000;
      guest.cpu_ns += cpu;
      guest.all_cpu_ns += cpu;
      guest.running_ms += static_cast<std::uint64_t>(ms);
      guest.traffic.in += random_() % 1'000'000;
      guest.traffic.out += random_() % 50'000'000;
    }
  }
  // It takes a daemon to start one, which counts it then.
  void start(Simulated& guest) {
    guest.running = true;
    guest.started_ms = world_.wall_ms;
    guest.life = ++lives_;
    guest.cpu_ns = 0;
    count(false);
  }
  // Its control group goes once it has been counted, which the next daemon does if this one does not.
  void stop(Simulated& guest) {
    guest.running = false;
    guest.ended_ms = world_.wall_ms;
    count(false);
    guest.life = 0;
    guest.cpu_ns = 0;
  }

  std::vector<UseSum> sums(bool by_hour) {
    reopen();
    auto found = store_->sum_uses({0, INT64_MAX, "", "", by_hour});
    EXPECT_THAT(found, is_ok());
    return found.value_or(std::vector<UseSum>());
  }
  void expect_all_of_it_once() {
    const std::vector<UseSum> all = sums(false);
    ASSERT_EQ(all.size(), kGuests);
    const auto passed = static_cast<std::uint64_t>(passed_ms_);
    for (std::size_t i = 0; i < kGuests; ++i) {
      const Simulated& guest = world_.guests[i];
      const quota::Use& use = all[i].of.use;
      EXPECT_EQ(use.cpu_ns, guest.all_cpu_ns) << i;
      EXPECT_EQ(use.traffic, guest.traffic) << i;
      EXPECT_EQ(use.running_ms, guest.running_ms) << i;
      EXPECT_EQ(use.running_ms + use.stopped_ms, passed) << i;
      EXPECT_EQ(all[i].memory_promised, ((i + 1) << 30U) * (passed / 1000) / 3600) << i;
      EXPECT_EQ(all[i].disk_held, ((i + 1) << 23U) * (passed / 1000) / 3600) << i;
      EXPECT_EQ(all[i].memory_held, ((i + 1) << 20U) * (guest.running_ms / 1000) / 3600) << i;
    }
  }
  // `steps_clock`: people set it, and the host sleeps.
  void live_a_month(bool steps_clock) {
    for (int step = 0; step < kSteps && !HasFatalFailure(); ++step) {
      pass(kStep);
      passed_ms_ += kStep;
      for (Simulated& guest : world_.guests) {
        if (random_() % 40 != 0) continue;
        if (guest.running) {
          stop(guest);
        } else {
          start(guest);
        }
      }
      if (steps_clock && random_() % 100 == 0)
        world_.wall_ms += static_cast<std::int64_t>(random_() % 14'400'000) - 7'200'000;
      // Down for a while, at times.
      if (daemon_ <= 0 && random_() % 3 != 0) continue;
      count(random_() % 15 == 0);
    }
    count(false);
    end_daemon();
    EXPECT_GE(kills_, 100);
    std::printf("killed %d times\n", kills_);
  }

  Ask world_;
  std::int64_t lives_ = 0;
  std::int64_t passed_ms_ = 0;
  int kills_ = 0;
  std::mt19937_64 random_{20261101};
  pid_t daemon_ = -1;
  UniqueFd socket_;
};

TEST_F(UseBookTest, LosesAndDoublesNoHourHoweverOftenTheDaemonIsKilled) {
  live_a_month(false);
  expect_all_of_it_once();
  const std::vector<UseSum> hours = sums(true);
  EXPECT_EQ(hours.size(), kGuests * 30 * 24);
  for (const UseSum& hour : hours) {
    EXPECT_EQ(hour.of.use.running_ms + hour.of.use.stopped_ms, static_cast<std::uint64_t>(kHourMs))
        << hour.of.hour;
  }
}

TEST_F(UseBookTest, LosesAndDoublesNothingHoweverTheClockIsSet) {
  live_a_month(true);
  expect_all_of_it_once();
}

TEST_F(UseBookTest, OfTenantsIsTheSumOfTheirGuests) {
  live_a_month(false);
  std::uint64_t whole = 0;
  for (const UseSum& sum : sums(false)) whole += sum.memory_promised;
  std::uint64_t tenants = 0;
  for (const UseSum& sum : *store_->sum_uses({0, INT64_MAX, kDefaultTenant, "", false}))
    tenants += sum.memory_promised;
  EXPECT_EQ(tenants, whole);
  EXPECT_TRUE(store_->sum_uses({0, INT64_MAX, "none", "", false})->empty());
  EXPECT_EQ(store_->sum_uses({0, INT64_MAX, "", "n2", false})->size(), 1U);
  const quota::Hour first = kBegin / kHourMs;
  EXPECT_EQ(store_->sum_uses({first + 5, first + 7, "", "n2", true})->size(), 2U);
  ASSERT_THAT(store_->forget_uses_before(first + 6), is_ok());
  EXPECT_EQ(store_->sum_uses({first, first + 7, "", "n2", true})->size(), 1U);
  // By a clock that is wrong, a day at most.
  ASSERT_THAT(store_->forget_uses_before(first + 900'000), is_ok());
  EXPECT_EQ(store_->sum_uses({0, INT64_MAX, "", "n2", true})->size(), 30U * 24 - 6 - 24);
}

TEST_F(StoreTest, KeepsWhatGuestsUsedWhenTheyAreGone) {
  const GuestRecord record = add(1, 1).front();
  quota::Use use;
  use.cpu_ns = 5;
  ASSERT_THAT(store_->add_uses({{7, 1, "tiny", "n1", "default", "", use}}, {}), is_ok());
  ASSERT_THAT(store_->remove_guest(record), is_ok());
  EXPECT_TRUE(store_->uses_seen(0)->empty());
  ASSERT_THAT(store_->add_uses({}, {{1, {}}}), is_ok());
  EXPECT_TRUE(store_->uses_seen(0)->empty()) << "it is gone";
  ASSERT_EQ(store_->sum_uses({0, 9, "", "", false})->size(), 1U);
  EXPECT_EQ(store_->sum_uses({0, 9, "", "", false})->front().of.use.cpu_ns, 5U);
}

TEST_F(StoreTest, AddsUpWhatIsMoreThanAnIntegerHolds) {
  add(1, 1);
  // The largest disk and swap that there are, again and again in a month.
  quota::UseReading large;
  large.disk = 2 * quota::kMostDisk.bytes();
  quota::UseSeen before;
  before.at = {0, 0, "b"};
  std::vector<UseEntry> entries;
  for (std::int64_t minute = 10; minute <= 30 * 24 * 60; minute += 10) {
    const quota::Moment at{minute * 60'000, minute * 60'000, "b"};
    for (const auto& [hour, use] : quota::used_between(before, large, at))
      entries.push_back({hour, 1, "large", "n1", "default", "", use});
    before = quota::seen(before, large, at);
  }
  ASSERT_THAT(store_->add_uses(entries, {}), is_ok());
  EXPECT_EQ(store_->sum_uses({0, 721, "", "", false})->front().disk_promised, 720 * large.disk);
}

}  // namespace
}  // namespace umlfarm::daemon
