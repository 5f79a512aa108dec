// What the host sees of guests' processes, and what guests say of themselves.
#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "tests/support/test_farm.h"

namespace umlfarm::testing {
namespace {

using ::testing::HasSubstr;

TEST(Watched, AreGuestsWithTooManyProcessesAndThoseThatNeverRest) {
  const TestFarm farm("[watch]\nprocesses_percent = 50\nbusy_percent = 50\nbusy_minutes = 0\n" +
                      plan_of("few", "processes = 40"));
  for (const char* const guest : {"alice", "bob", "carol"}) farm.create(guest, {"--plan", "few"});
  farm.in_guest("alice", "for i in $(seq 30); do sleep 600 >/dev/null 2>&1 & done");
  farm.in_guest("bob", "(while :; do :; done) >/dev/null 2>&1 &");
  const auto told = [&](const std::string& what) {
    return farm.ok({"events"}).find(what) != std::string::npos;
  };
  EXPECT_TRUE(eventually([&] { return told("alice  processes  has "); })) << farm.ok({"events"});
  EXPECT_TRUE(eventually([&] { return told("bob  busy  one of its processes"); }, 120))
      << farm.ok({"events"});
  EXPECT_FALSE(told("carol  processes") || told("carol  busy") || told("alice  busy") ||
               told("bob  processes"));
}

TEST(Inside, IsWhatTheGuestsKernelSays) {
  const TestFarm farm;
  farm.create("alice");
  const boost::json::value inside = farm.json({"inside", "alice"});
  EXPECT_GT(inside.at("memory_total").to_number<double>(), 16e6);
  EXPECT_LT(inside.at("memory_total").to_number<double>(), 64e6);
  EXPECT_LT(inside.at("memory_available").to_number<double>(), inside.at("memory_total").to_number<double>());
  EXPECT_GE(inside.at("uptime_seconds").to_number<double>(), 0);
  EXPECT_THAT(farm.ok({"inside", "alice"}), HasSubstr("over 1, 5 and 15 minutes"));
  farm.ok({"stop", "alice"});
  EXPECT_THAT(farm.umlfarm({"inside", "alice"}).err, HasSubstr("does not run"));
}

}  // namespace
}  // namespace umlfarm::testing
