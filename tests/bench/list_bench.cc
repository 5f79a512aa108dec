// What people wait for when a farm is large: 1,000 guests in the store, none of which runs.
#include "tests/bench/report.h"
#include "tests/bench/stored_guests.h"
#include "tests/support/test_farm.h"

namespace umlfarm::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr unsigned kGuests = 1000;

// Of the program alone, from fork to its end.
double time_of(const testing::TestFarm& farm, const std::vector<std::string>& arguments) {
  std::vector<std::string> command{std::string(UMLFARM_BUILD_DIRECTORY) + "/provisioner/cli/umlfarm",
                                   "--socket", farm.socket()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const auto begun = Clock::now();
  const int status = testing::wait_for_end(testing::start_program(command, farm / "out"));
  const double taken = milliseconds_since(begun);
  EXPECT_EQ(status, 0);
  return taken;
}

TEST(Bench, ListAndShowOfAThousandGuests) {
  testing::TestFarm farm("", false);
  farm.end_daemon();
  store_guests(farm, kGuests);
  farm.start_daemon();
  std::vector<Row> rows{{"umlfarm version (no daemon asked)", {}},
                        {"umlfarm list", {}},
                        {"umlfarm --json list", {}},
                        {"umlfarm show NAME", {}},
                        {"umlfarm status", {}}};
  const std::vector<std::vector<std::string>> commands{
      {"--version"}, {"list"}, {"--json", "list"}, {"show", "guest-500"}, {"status"}};
  for (int run = 0; run < 20; ++run) {
    for (std::size_t i = 0; i < commands.size(); ++i) {
      rows[i].samples.push_back(time_of(farm, commands[i]));
    }
  }
  print_table("1,000 guests in the store, whole commands", "ms", rows);
}

}  // namespace
}  // namespace umlfarm::bench
