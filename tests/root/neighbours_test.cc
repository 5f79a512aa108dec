// One guest does its worst, and another goes on. How fast that is, tests/bench/neighbours_bench.cc measures.
#include <boost/json.hpp>
#include <chrono>
#include <thread>

#include "tests/support/attacks.h"
#include "tests/support/test_farm.h"

namespace umlfarm::testing {
namespace {

std::int64_t kills(const TestFarm& farm, const std::string& guest) {
  return farm.json({"quota", guest}).at("host_memory").at("kills").to_number<std::int64_t>();
}

std::int64_t spent_ns(const TestFarm& farm, const std::string& guest) {
  return farm.json({"quota", guest}).at("cpu").at("used_ns").to_number<std::int64_t>();
}

TEST(Neighbours, AreNotEndedAndAnswerWhateverOneOfThemDoes) {
  const TestFarm farm;
  farm.create("alice", {"--plan", "small"});
  farm.create("bob");
  const std::int64_t started = farm.number("bob", "started_ms");
  const pid_t kernel = farm.kernel_of("bob");
  for (const Attack& attack : attacks()) {
    const std::int64_t before = spent_ns(farm, "alice");
    farm.in_guest("alice", begin(attack));
    std::this_thread::sleep_for(std::chrono::seconds(2));
    EXPECT_EQ(farm.in_guest("bob", "echo $((6 * 7))"), "42\n") << attack.name;
    EXPECT_EQ(farm.number("bob", "started_ms"), started) << attack.name;
    EXPECT_EQ(farm.kernel_of("bob"), kernel) << attack.name;
    EXPECT_EQ(kills(farm, "bob"), 0) << attack.name;
    EXPECT_GT(spent_ns(farm, "alice") - before, 100'000'000) << attack.name << " is none";
    farm.ok({"stop", "alice", "--timeout", "1"});
    farm.ok({"start", "alice"});
  }
}

}  // namespace
}  // namespace umlfarm::testing
