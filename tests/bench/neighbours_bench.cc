// How long a small request to a guest takes while another does its worst, against a quiet neighbour in the
// same run. Prints a table; fails only where a guest is lost.
#include <arpa/inet.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "guest/net/net_namespace.h"
#include "provisioner/base/unique_fd.h"
#include "tests/bench/report.h"
#include "tests/support/attacks.h"
#include "tests/support/test_farm.h"

namespace umlfarm::bench {
namespace {

using testing::Attack;
using testing::TestFarm;

constexpr int kRounds = 3;
constexpr int kRequests = 600;
constexpr auto kPause = std::chrono::milliseconds(2);
constexpr std::uint16_t kPort = 8080;

// A page of a guest's web server, which makes a process for it; milliseconds.
double request(guest::NetNamespace& space, const std::string& address) {
  // By a thread that is not first.
  const UniqueFd socket(space.run([] { return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); }));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(kPort);
  ::inet_pton(AF_INET, address.c_str(), &to.sin_addr);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  const std::string text = "GET /page HTTP/1.0\r\n\r\n";
  EXPECT_EQ(::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL), std::ssize(text));
  char answer[4096];
  std::size_t got = 0;
  for (ssize_t n = 0; (n = ::recv(socket.get(), answer, sizeof answer, 0)) > 0;)
    got += static_cast<std::size_t>(n);
  EXPECT_GT(got, 100U);
  return milliseconds_since(begin);
}

struct Times {
  double middle = 0;
  double p99 = 0;
};

// Whoever asks is elsewhere, and waits for no processor of this host.
void put_first(bool first) {
  const sched_param priority{first ? 1 : 0};
  EXPECT_EQ(::sched_setscheduler(0, first ? SCHED_FIFO | SCHED_RESET_ON_FORK : SCHED_OTHER, &priority), 0)
      << "of real time there is none here";
}

Times probe(guest::NetNamespace& space, const std::string& address) {
  std::vector<double> times;
  put_first(true);
  for (int i = 0; i < kRequests; ++i) {
    times.push_back(request(space, address));
    std::this_thread::sleep_for(kPause);
  }
  put_first(false);
  std::sort(times.begin(), times.end());
  return {times[times.size() / 2], times[times.size() * 99 / 100]};
}

TEST(Bench, OfANeighboursAttacks) {
  const TestFarm farm;
  farm.create("alice", {"--plan", "small"});
  farm.create("bob");
  farm.in_guest(
      "bob", "mkdir /www; head -c 100 /dev/zero >/www/page; httpd -p " + std::to_string(kPort) + " -h /www");
  auto space = guest::NetNamespace::create_or_open(farm.netns());
  ASSERT_TRUE(space);
  const std::string address = farm.field("bob", "address4");
  const std::int64_t started = farm.number("bob", "started_ms");
  std::vector<Row> middles{{"quiet, median", {}}};
  std::vector<Row> p99s{{"quiet, 99 %", {}}};
  for (const Attack& attack : testing::attacks()) {
    middles.push_back({attack.name + std::string(", median"), {}});
    p99s.push_back({attack.name + std::string(", 99 %"), {}});
  }
  const auto note = [&](std::size_t row) {
    const Times times = probe(**space, address);
    middles[row].samples.push_back(times.middle);
    p99s[row].samples.push_back(times.p99);
  };
  for (int round = 0; round < kRounds; ++round) {
    std::size_t row = 0;
    note(row);
    for (const Attack& attack : testing::attacks()) {
      farm.in_guest("alice", begin(attack));
      std::this_thread::sleep_for(std::chrono::seconds(1));
      note(++row);
      farm.ok({"stop", "alice", "--timeout", "1"});
      farm.ok({"start", "alice"});
    }
  }
  EXPECT_EQ(farm.number("bob", "started_ms"), started);
  print_table("a request to a guest beside one that attacks", "ms", middles);
  print_table("the same, of the slowest in a hundred", "ms", p99s);
}

}  // namespace
}  // namespace umlfarm::bench
