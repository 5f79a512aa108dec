// What a guest costs the host beside its own memory, by its control group. Prints a table; fails only where a
// guest does.
#include <boost/json.hpp>

#include "tests/bench/report.h"
#include "tests/support/test_farm.h"

namespace umlfarm::bench {
namespace {

using testing::TestFarm;

constexpr double kKib = 1024;
constexpr int kRounds = 3;
constexpr int kStep = 200;
constexpr int kSteps = 2;

double beside_its_memory(const TestFarm& farm) {
  const boost::json::value usage = farm.json({"quota", "alice"});
  const auto used = [&](const char* what) { return usage.at(what).at("used").to_number<double>(); };
  return (used("host_memory") - used("memory")) / kKib;
}

TEST(Bench, OfAGuestBesideItsMemory) {
  Row idle{"idle", {}};
  Row process{"each process that sleeps", {}};
  for (int round = 0; round < kRounds; ++round) {
    const TestFarm farm;
    farm.create("alice", {"--plan", "small"});
    double before = beside_its_memory(farm);
    idle.samples.push_back(before);
    for (int step = 0; step < kSteps; ++step) {
      farm.in_guest("alice", "for i in $(seq " + std::to_string(kStep) + "); do sleep 1000 & done");
      const double now = beside_its_memory(farm);
      process.samples.push_back((now - before) / kStep);
      before = now;
    }
  }
  print_table("a guest beside its memory", "KiB", {idle, process});
}

}  // namespace
}  // namespace umlfarm::bench
