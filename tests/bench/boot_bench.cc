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
#include "tests/bench/report.h"
#include "tests/support/hand_guest.h"
#include "tests/support/result_matchers.h"
#include "tests/support/test_farm.h"

namespace umlfarm::bench {
namespace {

using testing::built_image;
using testing::built_kernel;
using testing::eventually;
using testing::HandGuest;
using testing::HandStart;
using testing::kInitRuns;
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

// As it is started by whoever does not know better. With random addresses a kernel must describe the gap
// after its heap, too, and panics where that is too much: hence so much memory.
HandStart as_anyone(const std::string& kernel, std::vector<std::string> more = {}) {
  return {kernel, image_file("tiny"), std::move(more), "mem=256M", false, false};
}

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
  const HandStart plain = as_anyone(kernel);
  const HandStart stock = as_anyone(kStock);
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

// What a guest's console says last.
constexpr const char* kPrompt = "root@";
constexpr std::chrono::seconds kToBeIdle(5);

struct Together {
  double a_second;    // that reach init
  double memory_kib;  // of each, when all are idle
};

// Many by hand, all started at once.
Together together_by_hand(const HandStart& start, unsigned count) {
  const std::uint64_t before = available_memory();
  std::vector<TemporaryDirectory> directories(count);
  std::vector<HandGuest> guests;
  const auto begun = Clock::now();
  for (const TemporaryDirectory& directory : directories) guests.emplace_back(start, directory.path());
  for (HandGuest& guest : guests) EXPECT_GE(guest.wait_for_init(), 0) << guest.output();
  const double a_second = count * 1000 / milliseconds_since(begun);
  for (HandGuest& guest : guests) EXPECT_GE(guest.wait_for(kPrompt), 0) << guest.output();
  std::this_thread::sleep_for(kToBeIdle);
  return {a_second, static_cast<double>(before - available_memory()) / count};
}

// Guests a second, until the last is so far.
struct Rates {
  double init;
  double ready;
};

// lab-1 and so on, of a farm that has one guest already.
Rates make_together(const TestFarm& farm, unsigned count) {
  const auto begun = Clock::now();
  const double init = farm_init(farm, "lab", count);
  EXPECT_GT(init, 0);
  EXPECT_TRUE(eventually([&] { return all_ready(farm, count + 1); }, 300));
  return {count * 1000 / init, count * 1000 / milliseconds_since(begun)};
}

void delete_together(const TestFarm& farm, unsigned count) {
  std::vector<std::string> all{"delete"};
  for (unsigned i = 1; i <= count; ++i) all.push_back("lab-" + std::to_string(i));
  farm.ok(all);
}

TEST(Bench, AHundredWithAndWithoutALimitOfBoots) {
  constexpr unsigned kMany = 100;
  const std::string configs[] = {"", "[guests]\nparallel = " + std::to_string(kMany) + "\n"};
  std::vector<Row> init{{"two for each processor boot at once", {}}, {"all boot at once", {}}};
  std::vector<Row> ready = init;
  for (int round = 0; round < 2; ++round) {
    for (std::size_t row = 0; row < std::size(configs); ++row) {
      const TestFarm farm(configs[row]);
      farm.create("first");
      const Rates rates = make_together(farm, kMany);
      init[row].samples.push_back(rates.init);
      ready[row].samples.push_back(rates.ready);
    }
  }
  print_table("100 guests at once, until all are at init", "guests/s", init);
  print_table("100 guests at once, until all are ready", "guests/s", ready);
}

TEST(Bench, AHundredTogether) {
  constexpr unsigned kMany = 100;
  constexpr unsigned kStockMany = 20;
  const TestFarm farm;
  farm.create("first");
  const std::string kernel = built_kernel() + "/linux";
  const std::string loops = loops_per_jiffy(farm);
  std::vector<Row> rows{{"the same kernel by hand, all started at once, at init", {}},
                        {"umlfarm, until all are at init", {}},
                        {"umlfarm, until all are ready", {}},
                        {"Debian's user-mode-linux as anyone starts it, 20 at once, at init", {}}};
  std::vector<Row> memory{{"umlfarm: fall of available memory, a guest, all in", {}},
                          {"of it private to its supervisor", {}},
                          {"the same kernel by hand, without network and SSH server", {}},
                          {"Debian's user-mode-linux as anyone starts it, 256 MiB, among 20", {}}};
  const HandStart best{kernel, image_file("tiny"), {loops}, "mem=32M", false, true};
  const HandStart stock = as_anyone(kStock);
  for (int round = 0; round < 2; ++round) {
    const Together by_hand = together_by_hand(best, kMany);
    rows[0].samples.push_back(by_hand.a_second);
    memory[2].samples.push_back(by_hand.memory_kib);
    const Together of_stock = together_by_hand(stock, kStockMany);
    rows[3].samples.push_back(of_stock.a_second);
    memory[3].samples.push_back(of_stock.memory_kib);
    const std::uint64_t before = available_memory();
    const Rates rates = make_together(farm, kMany);
    rows[1].samples.push_back(rates.init);
    rows[2].samples.push_back(rates.ready);
    std::this_thread::sleep_for(kToBeIdle);
    memory[0].samples.push_back(static_cast<double>(before - available_memory()) / kMany);
    memory[1].samples.push_back(supervisor_memory(farm));
    delete_together(farm, kMany);
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

// Between the two times of "from A to B".
double seconds_in(const std::string& text) {
  double begin = 0;
  double end = 0;
  // Not where the kernel shows its command line.
  const std::string lines = "\n" + text;
  const std::size_t at = std::min(lines.find("\nfrom "), lines.size());
  EXPECT_EQ(std::sscanf(lines.c_str() + at, " from %lf to %lf", &begin, &end), 2) << text;
  return end - begin;
}

TEST(Bench, SystemCallsPinnedAndFree) {
  constexpr double kCalls = 400'000;  // dd reads and writes 200,000 times
  const TestFarm farm;
  farm.create("alice");
  cpu_set_t all;
  ::sched_getaffinity(0, sizeof all, &all);
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<unsigned>(farm.json({"show", "alice"}).at("processors").as_array().at(0).as_int64()),
          &one);
  // Written otherwise than said: the kernel shows its command line.
  const std::string script =
      "read a x </proc/uptime; dd if=/dev/zero of=/dev/null bs=1 count=200000 2>/dev/null; "
      "read b x </proc/uptime; echo from $a to $b ti\\cks;";
  const auto run = [&](const cpu_set_t& set) {
    run_on(farm, set);
    return seconds_in(farm.in_guest("alice", script)) * 1e6 / kCalls;
  };
  const auto run_stock = [&] {
    const HandStart stock = as_anyone(
        kStock,
        {"init=/bin/sh", "--", "-c", "\"mount -t proc proc /proc; " + script + " exec poweroff -f\""});
    const TemporaryDirectory directory;
    HandGuest guest(stock, directory.path());
    EXPECT_GE(guest.wait_for(" ticks"), 0) << guest.output();
    return seconds_in(guest.output()) * 1e6 / kCalls;
  };
  std::vector<Row> rows{{"on one processor, as umlfarm runs it", {}},
                        {"free to move among all", {}},
                        {"Debian's user-mode-linux as anyone starts it", {}}};
  for (int i = 0; i < 3; ++i) {
    rows[0].samples.push_back(run(one));
    rows[1].samples.push_back(run(all));
    rows[2].samples.push_back(run_stock());
  }
  print_table("a guest's system call", "microseconds", rows);
}

}  // namespace
}  // namespace umlfarm::bench
