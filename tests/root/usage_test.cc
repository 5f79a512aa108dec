// What real guests have used, as it is billed.
#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <chrono>
#include <cmath>
#include <sstream>
#include <thread>

#include "provisioner/daemon/state_store.h"
#include "tests/support/result_matchers.h"
#include "tests/support/test_farm.h"

namespace umlfarm::testing {
namespace {

using ::testing::HasSubstr;

namespace json = boost::json;

constexpr std::int64_t kMiB = 1 << 20;

json::value line_of(const TestFarm& farm, const std::string& guest) {
  const json::value document = farm.json({"usage", "--guest", guest});
  const json::array& lines = document.at("guests").as_array();
  EXPECT_EQ(lines.size(), 1U);
  return lines.empty() ? json::value(json::object()) : lines.at(0);
}
double number(const json::value& of, const char* key) { return of.at(key).to_number<double>(); }
double cpu_of(const TestFarm& farm, const std::string& guest) {
  return farm.json({"quota", guest}).at("cpu").at("used_ns").to_number<double>();
}

TEST(Usage, IsWhatTheGuestUsedOverDeathsAndRestarts) {
  // It is sold what its host gives it, whatever it takes itself to have.
  TestFarm farm("[[plan]]\nname = 'other'\nmemory = '256M'\nhost_memory = '64M'\ndisk = '1G'\n");
  const auto begun = std::chrono::steady_clock::now();
  farm.create("alice", {"--plan", "other"});
  const std::string burn = "i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done";
  farm.in_guest("alice", burn);
  double cpu = 0;
  for (int life = 0; life < 2; ++life) {
    farm.in_guest("alice", burn);
    // Counted by whoever comes next, or when it goes.
    farm.kill_daemon();
    farm.start_daemon();
    EXPECT_TRUE(eventually([&] { return farm.field("alice", "state") == "ready"; }));
    cpu += cpu_of(farm, "alice");
    farm.ok({"stop", "alice"});
    farm.ok({"start", "alice"});
  }
  farm.ok({"stop", "alice"});
  const json::value line = line_of(farm, "alice");
  // What it took to stop is not in what was asked before.
  EXPECT_GE(number(line, "cpu_ns"), cpu);
  EXPECT_LE(number(line, "cpu_ns"), cpu * 1.5);
  EXPECT_GT(number(line, "running_ms"), 1000);
  const std::chrono::duration<double, std::milli> passed = std::chrono::steady_clock::now() - begun;
  const double counted = number(line, "running_ms") + number(line, "stopped_ms");
  EXPECT_LE(counted, passed.count());
  EXPECT_NEAR(counted / passed.count(), 1, 0.1);
  EXPECT_NEAR(number(line, "memory_promised_byte_hours") / (64.0 * kMiB * counted / 3.6e6), 1, 0.001);
  EXPECT_GT(number(line, "memory_held_byte_hours"), 0);
  EXPECT_GT(number(line, "disk_held_byte_hours"), 0);
  const json::value carried = farm.json({"quota", "alice"}).at("network").at("ever");
  EXPECT_GT(number(line, "bytes_out"), 0);
  EXPECT_EQ(number(line, "bytes_out"), number(carried, "out"));
  EXPECT_EQ(number(line, "bytes_in"), number(carried, "in"));
}

std::unique_ptr<daemon::StateStore> store_of(const TestFarm& farm) {
  auto store = daemon::open_sqlite_store(farm.state("state.db"));
  EXPECT_THAT(store, is_ok());
  return *std::move(store);
}

// When the host goes down after it, nobody could count it later.
TEST(Usage, IsCountedWhenTheDaemonEnds) {
  TestFarm farm;
  farm.create("alice");
  const double before = number(line_of(farm, "alice"), "cpu_ns");
  farm.in_guest("alice", "i=0; while [ $i -lt 1000000 ]; do i=$((i + 1)); done");
  farm.end_daemon();
  const auto sums = store_of(farm)->sum_uses({0, INT64_MAX, "", "alice", false});
  ASSERT_THAT(sums, is_ok());
  ASSERT_EQ(sums->size(), 1U);
  farm.start_daemon();
  EXPECT_GT(static_cast<double>(sums->front().of.use.cpu_ns) - before, (cpu_of(farm, "alice") - before) / 2);
}

TEST(Usage, OfMoreThanCanBeToldAtOnceIsRefused) {
  TestFarm farm;
  farm.end_daemon();
  constexpr quota::Hour kJanuary2001 = 271'752;
  constexpr quota::Hour kHours = 31 * 24;
  std::vector<daemon::UseEntry> entries;
  for (std::int64_t guest = 1; entries.size() <= daemon::kMostUses; ++guest) {
    for (quota::Hour hour = 0; hour < kHours; ++hour)
      entries.push_back({kJanuary2001 + hour, guest, "tiny", "g" + std::to_string(guest), "default", "", {}});
  }
  const std::string last = entries.back().name;
  EXPECT_THAT(store_of(farm)->add_uses(entries, {}), is_ok());
  farm.start_daemon();
  const Ran refused = farm.umlfarm({"usage", "--month", "2001-01", "--hours"});
  EXPECT_EQ(refused.code, 4);
  EXPECT_THAT(refused.err, HasSubstr("--guest NAME"));
  const json::value told = farm.json({"usage", "--month", "2001-01", "--hours", "--guest", last});
  EXPECT_EQ(told.at("guests").as_array().size(), static_cast<std::size_t>(kHours));
  EXPECT_EQ(farm.json({"usage", "--month", "2001-01"}).at("guests").as_array().size(),
            entries.size() / kHours);
}

TEST(Usage, OfATenantIsTheSumOfItsGuestsAlsoOfThoseThatAreGone) {
  const TestFarm farm;
  farm.ok({"tenant", "create", "physics"});
  for (const char* const guest : {"a", "b"}) farm.create(guest, {"--tenant", "physics"});
  farm.create("c");
  farm.ok({"set", "b", "--plan", "small", "--restart"});
  EXPECT_TRUE(eventually([&] { return farm.field("b", "state") == "ready"; }));
  farm.ok({"delete", "a"});
  const json::value document = farm.json({"usage", "--tenant", "physics"});
  const json::array& lines = document.at("guests").as_array();
  ASSERT_EQ(lines.size(), 3U) << "b has had two plans";
  EXPECT_FALSE(document.at("tenants").as_object().contains("default"));
  for (const auto& sum : document.at("tenants").at("physics").as_object()) {
    std::uint64_t whole = 0;
    for (const json::value& line : lines) whole += line.at(sum.key()).to_number<std::uint64_t>();
    EXPECT_EQ(sum.value().to_number<std::uint64_t>(), whole) << sum.key();
  }
  const std::string csv = farm.ok({"usage", "--tenant", "physics", "--format", "csv"});
  EXPECT_THAT(csv, HasSubstr("tenant,user,guest,id,plan,running_ms,"));
  EXPECT_THAT(csv, HasSubstr("\nphysics,,a,g1,tiny,"));
  EXPECT_THAT(farm.ok({"usage", "--hours"}), HasSubstr(":00:00Z"));
  EXPECT_EQ(farm.umlfarm({"usage", "--month", "2026-13"}).code, 4);
  EXPECT_EQ(farm.json({"usage", "--month", "2001-01"}).at("guests").as_array().size(), 0U);
}

TEST(Suspended, AreGuestsThatNothingStarts) {
  TestFarm farm;
  farm.ok({"tenant", "create", "physics"});
  farm.create("alice", {"--tenant", "physics"});
  farm.create("bob", {"--tenant", "physics"});
  farm.create("carol");
  farm.ok({"stop", "bob"});
  farm.ok({"suspend", "--tenant", "physics", "--reason", "October is not paid"});
  for (const char* const guest : {"alice", "bob"}) {
    EXPECT_EQ(farm.field(guest, "state"), "suspended");
    EXPECT_EQ(farm.field(guest, "reason"), "suspended: October is not paid");
    const Ran start = farm.umlfarm({"start", guest});
    EXPECT_EQ(start.code, 5);
    EXPECT_THAT(start.err, HasSubstr("suspended: October is not paid; 'umlfarm unsuspend"));
    EXPECT_EQ(farm.umlfarm({"restart", guest}).code, 5);
  }
  EXPECT_THAT(farm.ok({"list"}), HasSubstr("suspended"));
  EXPECT_EQ(farm.field("carol", "state"), "ready");
  farm.kill_daemon();
  farm.start_daemon();
  std::this_thread::sleep_for(std::chrono::seconds(1));
  EXPECT_EQ(farm.field("alice", "state"), "suspended");
  EXPECT_GT(number(line_of(farm, "alice"), "suspended_ms"), 500);
  farm.ok({"unsuspend", "alice", "bob"});
  EXPECT_TRUE(eventually([&] { return farm.field("alice", "state") == "ready"; }));
  EXPECT_EQ(farm.field("bob", "state"), "stopped") << "as it was";
  for (const std::string& reason : {std::string(), std::string(201, 'x'), std::string("a\nb")})
    EXPECT_EQ(farm.umlfarm({"suspend", "alice", "--reason", reason}).code, 4) << reason;
  EXPECT_EQ(farm.umlfarm({"suspend", "--reason", "x"}).code, 2);
  EXPECT_EQ(farm.umlfarm({"suspend", "alice"}).code, 2);
  EXPECT_EQ(farm.field("alice", "state"), "ready");
}

}  // namespace
}  // namespace umlfarm::testing
