// What metrics cost: a look at the farm, its text, and what asks for it. Real idle guests, 100 or with --full
// 1,000; and 100, 1,000 and 10,000 simulated ones: control groups without processes, and guests in the store
// that do not run.
#include <unistd.h>

#include <boost/json.hpp>
#include <fstream>
#include <regex>
#include <thread>

#include "metrics/exporter.h"
#include "provisioner/base/posix.h"
#include "quota/cgroups.h"
#include "tests/bench/report.h"
#include "tests/bench/stored_guests.h"
#include "tests/support/prometheus_server.h"
#include "tests/support/result_matchers.h"
#include "tests/support/test_farm.h"

namespace umlfarm::bench {
namespace {

using Clock = std::chrono::steady_clock;
using testing::TestFarm;

constexpr unsigned kSizes[] = {100, 1000, 10'000};
constexpr int kRounds = 5;

std::string of(const std::string& what, unsigned guests) {
  return what + ", " + std::to_string(guests) + " guests";
}

metrics::Snapshot snapshot_of(unsigned guests) {
  metrics::Snapshot snapshot;
  for (unsigned i = 0; i < guests; ++i) {
    metrics::Guest guest;
    guest.name = "guest-" + std::to_string(i);
    guest.id = "g" + std::to_string(i);
    guest.tenant = "default";
    guest.plan = guest.image = "tiny";
    guest.kernel = "strict";
    guest.state = "ready";
    guest.restarts = {{"crashed", 0}, {"panicked", 0}, {"out_of_memory", 0}};
    metrics::Running running;
    running.boot_seconds = running.mconsole_seconds = 1.5;
    running.cpu_seconds = 12'345.678 + i;
    running.memory_allocated = 12'000'000 + i;
    guest.running = running;
    guest.in.bytes = guest.out.bytes = 1'234'567'890 + i;
    snapshot.guests.push_back(guest);
  }
  return snapshot;
}

TEST(Bench, TextOfMetrics) {
  std::vector<Row> rows;
  for (const unsigned guests : kSizes) {
    const metrics::Snapshot snapshot = snapshot_of(guests);
    Row row{of("text", guests), {}};
    std::size_t size = 0;
    for (int round = 0; round < kRounds; ++round) {
      const auto begun = Clock::now();
      size = metrics::to_text(snapshot).size();
      row.samples.push_back(milliseconds_since(begun));
    }
    row.what += ", " + std::to_string(size >> 10U) + " KiB";
    rows.push_back(row);
  }
  print_table("a snapshot made into text", "ms", rows);
}

TEST(Bench, UseByControlGroups) {
  const testing::TemporaryDirectory state;
  const quota::Cgroups cgroups = quota::Cgroups::discover("bench" + std::to_string(::getpid()), state.path());
  const quota::Limits limits{ByteSize::mib(32), ByteSize::gib(1), ByteSize(), 256};
  std::vector<Row> rows;
  unsigned made = 0;
  for (const unsigned guests : kSizes) {
    for (; made < guests; ++made)
      ASSERT_THAT(cgroups.apply("g" + std::to_string(made), limits), testing::is_ok());
    Row row{of("a look", guests), {}};
    for (int round = 0; round < kRounds; ++round) {
      const auto begun = Clock::now();
      for (unsigned i = 0; i < guests; ++i) (void)cgroups.usage("g" + std::to_string(i));
      row.samples.push_back(milliseconds_since(begun));
    }
    rows.push_back(row);
  }
  for (unsigned i = 0; i < made; ++i) EXPECT_THAT(cgroups.remove("g" + std::to_string(i)), testing::is_ok());
  EXPECT_THAT(cgroups.remove_farm(), testing::is_ok());
  print_table("use of guests read of their control groups", "ms", rows);
}

double scrape(std::uint16_t port) {
  const testing::Ran ran = testing::run_program(
      {"curl", "--silent", "--noproxy", "*", "--max-time", "60", "--output", "/dev/null", "--write-out",
       "%{http_code} %{time_total}", "http://127.0.0.1:" + std::to_string(port) + "/metrics"});
  EXPECT_EQ(ran.out.substr(0, 4), "200 ");
  return std::strtod(ran.out.substr(4).c_str(), nullptr) * 1000;
}

std::string config(std::uint16_t port, const std::string& more = "") {
  return "[metrics]\nlisten = '127.0.0.1:" + std::to_string(port) + "'\n[guests]\nuids = 20000\n" + more;
}

double memory_mib(const TestFarm& farm) {
  const std::string text =
      posix::read_file("/proc/" + std::to_string(farm.daemon()) + "/status").value_or("");
  std::smatch match;
  EXPECT_TRUE(std::regex_search(text, match, std::regex("VmRSS:\\s*(\\d+)"))) << text;
  return std::stod(match[1]) / 1024;
}
// Of the whole daemon, or of its threads of that name.
double cpu_ms(const TestFarm& farm, const std::string& thread = "") {
  const std::string tasks = "/proc/" + std::to_string(farm.daemon()) + "/task/";
  double ms = 0;
  for (const std::string& task : posix::list_directory(tasks).value_or(std::vector<std::string>())) {
    if (!thread.empty() && posix::read_file(tasks + task + "/comm").value_or("") != thread + "\n") continue;
    // The first number: nanoseconds on a processor.
    constexpr double kNsPerMs = 1e6;
    const auto spent = posix::read_file(tasks + task + "/schedstat");
    EXPECT_THAT(spent, testing::is_ok());
    ms += std::strtod(spent.value_or("").c_str(), nullptr) / kNsPerMs;
  }
  EXPECT_GT(ms, 0);
  return ms;
}

// What it takes while nothing but looks and scrapes goes on.
void measure(const TestFarm& farm, std::uint16_t port, unsigned guests, const char* kind) {
  constexpr auto kInterval = std::chrono::seconds(15);
  Row scraped{of(std::string(kind) + ": a scrape (ms)", guests), {}};
  // Looks are a thread's own, but for what the network's counts: so does the count of traffic.
  std::vector<std::pair<std::string, Row>> spent;
  for (const std::string thread : {"metrics", "network", ""}) {
    const std::string whose = thread.empty() ? "the daemon" : "its thread '" + thread + "'";
    spent.push_back(
        {thread, {of(std::string(kind) + ": processor of " + whose + " in 15 s (ms)", guests), {}}});
  }
  Row held{of(std::string(kind) + ": memory of the daemon (MiB)", guests), {}};
  std::this_thread::sleep_for(kInterval);
  for (int round = 0; round < kRounds; ++round) {
    std::map<std::string, double> before;
    for (const auto& [thread, row] : spent) before[thread] = cpu_ms(farm, thread);
    scraped.samples.push_back(scrape(port));
    std::this_thread::sleep_for(kInterval);
    for (auto& [thread, row] : spent) row.samples.push_back(cpu_ms(farm, thread) - before[thread]);
    held.samples.push_back(memory_mib(farm));
  }
  // Of ten thousand guests it is too much to take in whole.
  const testing::Ran look =
      testing::run_program({"sh", "-c",
                            "curl --silent --noproxy '*' http://127.0.0.1:" + std::to_string(port) +
                                "/metrics | sed -n 's/^umlfarm_snapshot_duration_seconds //p'"});
  EXPECT_NE(look.out, "");
  const Row looked{of(std::string(kind) + ": a look (ms)", guests),
                   {std::strtod(look.out.c_str(), nullptr) * 1000}};
  std::vector<Row> rows{scraped, looked, held};
  for (const auto& [thread, row] : spent) rows.push_back(row);
  print_table("metrics of a farm", "as each says", rows);
}

TEST(Bench, MetricsOfGuestsInTheStore) {
  for (const unsigned guests : kSizes) {
    const std::uint16_t port = testing::free_port();
    TestFarm farm(config(port), false);
    farm.end_daemon();
    store_guests(farm, guests);
    farm.start_daemon();
    measure(farm, port, guests, "stored");
    // None of them has left anything on the host, and to see so of ten thousand takes minutes.
    farm.end_daemon();
    for (const char* const file : {"state.db", "state.db-wal", "state.db-shm"})
      EXPECT_THAT(posix::remove_file(farm.state(file)), testing::is_ok());
    farm.start_daemon();
  }
}

TEST(Bench, MetricsOfRealGuests) {
  const unsigned guests = testing::in_full() ? 1000 : 100;
  const std::uint16_t port = testing::free_port();
  const TestFarm farm(config(port, "[capacity]\nmemory_percent = 1000\n"));
  farm.ok({"create", "idle", "--count", std::to_string(guests), "--image", "tiny", "--plan", "tiny",
           "--ssh-key", farm.public_key(), "--timeout", "1800"});
  measure(farm, port, guests, "real and idle");
}

}  // namespace
}  // namespace umlfarm::bench
