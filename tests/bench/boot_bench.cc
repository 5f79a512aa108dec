// How long from a request to a guest, and what a guest costs. Prints tables; fails only where a guest does.
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "provisioner/api/client.h"
#include "tests/bench/by_hand.h"
#include "tests/bench/report.h"
#include "tests/support/result_matchers.h"
#include "tests/support/test_farm.h"

namespace umlfarm::bench {
namespace {

using testing::built_image;
using testing::built_kernel;
using testing::eventually;
using testing::TemporaryDirectory;
using testing::TestFarm;
namespace json = boost::json;
using Clock = std::chrono::steady_clock;

constexpr const char* kStock = "/usr/bin/linux.uml";

json::object request(const TestFarm& farm, const std::string& name, unsigned count = 1) {
  std::string key = *posix::read_file(farm.public_key());
  key.pop_back();
  return {{"name", name}, {"image", "tiny"}, {"plan", "tiny"}, {"count", count}, {"ssh_keys", {key}}};
}

bool init_runs(const TestFarm& farm, const std::string& id) {
  const auto log = posix::read_file(farm.state("guests/" + id + "/console.log"));
  return log && log->find(kInitRuns) != std::string::npos;
}

// Milliseconds from the daemon's receipt of the request until the last guest's kernel runs init.
double farm_init(const TestFarm& farm, const std::string& name, unsigned count = 1) {
  const api::Client client(farm.socket());
  const json::object body = request(farm, name, count);
  const auto begun = Clock::now();
  const auto answer = client.post("/v1/guests", body);
  EXPECT_THAT(answer, testing::is_ok());
  if (!answer) return -1;
  for (const json::value& guest : answer->at("guests").as_array()) {
    const std::string id = json::value_to<std::string>(guest.at("id"));
    while (!init_runs(farm, id)) {
      if (milliseconds_since(begun) > 300'000) return -1;
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }
  return milliseconds_since(begun);
}

double hand_init(const HandStart& start) {
  const TemporaryDirectory directory;
  HandGuest guest(start, directory.path());
  const double taken = guest.wait_for_init();
  EXPECT_GE(taken, 0) << guest.output();
  return taken;
}

std::string loops_per_jiffy(const TestFarm& farm) {
  const json::value kernels = farm.json({"kernel", "list"});
  const std::string loops =
      std::to_string(kernels.at("kernels").at(0).at("loops_per_jiffy").to_number<std::int64_t>());
  EXPECT_NE(loops, "0");
  return "lpj=" + loops;
}

std::string image_file(const char* name) { return built_image(name) + "/root.img"; }

bool all_ready(const TestFarm& farm, std::size_t count) {
  const json::value list = farm.json({"list"});
  const json::array& guests = list.at("guests").as_array();
  return guests.size() == count && std::all_of(guests.begin(), guests.end(), [](const json::value& guest) {
           return guest.at("state") == "ready";
         });
}

TEST(Bench, FromCreateToInit) {
  const TestFarm farm;
  farm.create("first");  // at whose boot the farm learns the kernel's loops_per_jiffy
  const std::string kernel = built_kernel() + "/linux";
  const HandStart best{kernel, image_file("tiny"), {loops_per_jiffy(farm)}, "mem=32M", true, true};
  // With random addresses a kernel must describe the gap after its heap, too, and panics where that is too
  // much.
  const HandStart plain{kernel, image_file("tiny"), {}, "mem=256M", false, false};
  const HandStart stock{kStock, image_file("tiny"), {}, "mem=256M", false, false};
  std::vector<Row> rows{{"the same kernel by hand: lpj, one processor, fixed addresses", {}},
                        {"umlfarm, from the request", {}},
                        {"the same kernel as anyone starts it", {}},
                        {"Debian's user-mode-linux as anyone starts it", {}}};
  for (int i = 0; i < 20; ++i) {
    rows[0].samples.push_back(hand_init(best));
    rows[1].samples.push_back(farm_init(farm, "g" + std::to_string(i)));
    farm.ok({"delete", "g" + std::to_string(i)});
    rows[2].samples.push_back(hand_init(plain));
    if (i % 4 == 0) rows[3].samples.push_back(hand_init(stock));
  }
  print_table("create to init", "ms", rows);
}

void create_to_ssh(const char* image, int runs) {
  const TestFarm farm;
  if (std::string(image) != "tiny") farm.ok({"image", "add", built_image(image)});
  Row row{std::string(image), {}};
  for (int i = 0; i <= runs; ++i) {
    const std::string name = "g" + std::to_string(i);
    const auto begun = Clock::now();
    farm.create(name, {"--image", image, "--plan", "small"});
    farm.in_guest(name, "true");
    // The first boot of a kernel measures its loops_per_jiffy.
    if (i > 0) row.samples.push_back(milliseconds_since(begun));
    farm.ok({"delete", name});
  }
  print_table("create to the end of a command over ssh", "ms", {row});
}

TEST(Bench, FromCreateToSshOfTiny) { create_to_ssh("tiny", 10); }
TEST(Bench, FromCreateToSshOfDebian) { create_to_ssh("debian-12", 5); }

std::uint64_t available_memory() {
  std::ifstream file("/proc/meminfo");
  std::string word;
  std::uint64_t kib = 0;
  while (file >> word && word != "MemAvailable:") {
  }
  file >> kib;
  return kib;
}

// Private memory of all supervisors of the farm, KiB each.
double supervisor_memory(const TestFarm& farm) {
  std::uint64_t kib = 0;
  unsigned supervisors = 0;
  const std::vector<std::string> processes = posix::list_directory("/proc").value();
  for (const std::string& pid : processes) {
    const auto command = posix::read_file("/proc/" + pid + "/cmdline");
    if (!command || command->find("umlfarm-supervisor") != 0 ||
        command->find(farm.root()) == std::string::npos)
      continue;
    const auto text = posix::read_file("/proc/" + pid + "/smaps_rollup");
    std::istringstream lines(text ? *text : "");
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("Private_")) kib += std::stoul(line.substr(line.find(':') + 1));
    }
    ++supervisors;
  }
  EXPECT_GT(supervisors, 0U);
  return static_cast<double>(kib) / std::max(1U, supervisors);
}

TEST(Bench, AHundredTogether) {
  constexpr unsigned kMany = 100;
  const TestFarm farm;
  farm.create("first");
  const std::string kernel = built_kernel() + "/linux";
  const std::string loops = loops_per_jiffy(farm);
  std::vector<Row> rows{{"the same kernel by hand, all started at once", {}},
                        {"umlfarm, until all are at init", {}},
                        {"umlfarm, until all are ready", {}}};
  std::vector<Row> memory{{"fall of available memory, a guest, all in", {}},
                          {"of it private to its supervisor", {}}};
  for (int round = 0; round < 3; ++round) {
    {
      std::vector<TemporaryDirectory> directories(kMany);
      std::vector<HandGuest> guests;
      const auto begun = Clock::now();
      for (unsigned i = 0; i < kMany; ++i) {
        guests.emplace_back(HandStart{kernel, image_file("tiny"), {loops}, "mem=32M", false, true},
                            directories[i].path());
      }
      for (HandGuest& guest : guests) EXPECT_GE(guest.wait_for_init(), 0) << guest.output();
      rows[0].samples.push_back(kMany * 1000 / milliseconds_since(begun));
    }
    const std::uint64_t before = available_memory();
    const auto begun = Clock::now();
    const double init = farm_init(farm, "lab", kMany);
    EXPECT_GT(init, 0);
    rows[1].samples.push_back(kMany * 1000 / init);
    EXPECT_TRUE(eventually([&] { return all_ready(farm, kMany + 1); }, 300));
    rows[2].samples.push_back(kMany * 1000 / milliseconds_since(begun));
    std::this_thread::sleep_for(std::chrono::seconds(5));
    memory[0].samples.push_back(static_cast<double>(before - available_memory()) / kMany);
    memory[1].samples.push_back(supervisor_memory(farm));
    std::vector<std::string> all{"delete"};
    for (unsigned i = 1; i <= kMany; ++i) all.push_back("lab-" + std::to_string(i));
    farm.ok(all);
  }
  print_table("100 guests at once", "guests/s", rows);
  print_table("idle tiny guest of 32 MiB, among 100", "KiB", memory);
}

// All host processes and threads of the farm's guests.
void run_on(const TestFarm& farm, const cpu_set_t& set) {
  for (const std::string& process : testing::processes_of(farm.first_uid(), TestFarm::kUids)) {
    const std::string tasks = "/proc/" + std::to_string(std::stoi(process)) + "/task";
    const auto threads = posix::list_directory(tasks);
    if (!threads) continue;
    for (const std::string& thread : *threads) ::sched_setaffinity(std::stoi(thread), sizeof set, &set);
  }
}

TEST(Bench, SystemCallsPinnedAndFree) {
  constexpr double kCalls = 400'000;  // dd reads and writes 200,000 times
  const TestFarm farm;
  farm.create("alice");
  cpu_set_t all;
  ::sched_getaffinity(0, sizeof all, &all);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<unsigned>(farm.number("alice", "processor")), &one);
  const auto run = [&](const cpu_set_t& set) {
    run_on(farm, set);
    const std::string times = farm.in_guest(
        "alice",
        "read a x </proc/uptime; dd if=/dev/zero of=/dev/null bs=1 count=200000 2>/dev/null; read b x "
        "</proc/uptime; echo $a $b");
    double begin = 0;
    double end = 0;
    std::istringstream(times) >> begin >> end;
    return (end - begin) * 1e6 / kCalls;
  };
  std::vector<Row> rows{{"on one processor, as umlfarm runs it", {}}, {"free to move among all", {}}};
  for (int i = 0; i < 5; ++i) {
    rows[0].samples.push_back(run(one));
    rows[1].samples.push_back(run(all));
  }
  print_table("a guest's system call", "microseconds", rows);
}

}  // namespace
}  // namespace umlfarm::bench
