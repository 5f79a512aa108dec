// What people wait for when a farm is large: 1,000 guests in the store, none of which runs.
#include "provisioner/daemon/state_store.h"
#include "tests/bench/report.h"
#include "tests/support/result_matchers.h"
#include "tests/support/test_farm.h"

namespace umlfarm::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr unsigned kGuests = 1000;

void fill(const testing::TestFarm& farm) {
  auto store = daemon::open_sqlite_store(farm.state("state.db"));
  ASSERT_THAT(store, testing::is_ok());
  std::vector<daemon::GuestRecord> records(kGuests);
  for (unsigned i = 0; i < kGuests; ++i) {
    daemon::GuestRecord& record = records[i];
    record.name = "guest-" + std::to_string(i);
    record.desired = daemon::Desired::Stopped;
    record.identity.plan = "tiny";
    record.limits = {ByteSize::mib(32), ByteSize::gib(1), ByteSize(), 256};
    record.identity.image = "tiny";
    record.identity.kernel = "strict";
    record.identity.uid = farm.first_uid() + i;
    record.identity.address = i;
    record.identity.ssh_keys = {std::string(80, 'k')};
    record.identity.host_key_openssh = std::string(400, 'k');
  }
  ASSERT_THAT((*store)->add_guests(std::move(records),
                                   [](daemon::GuestRecord& record) {
                                     char mac[18];
                                     std::snprintf(mac, sizeof mac, "02:00:00:00:%02x:%02x",
                                                   static_cast<unsigned>(record.number >> 8U & 0xff),
                                                   static_cast<unsigned>(record.number & 0xff));
                                     record.identity.mac = mac;
                                   }),
              testing::is_ok());
}

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
  fill(farm);
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
