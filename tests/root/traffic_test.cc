// A guest's network: what it is held to, and what is counted of it, by iperf3's figures.
#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>

#include "provisioner/base/posix.h"
#include "tests/support/test_farm.h"

namespace umlfarm::testing {
namespace {

namespace json = boost::json;

constexpr int kSeconds = 4;
constexpr double kUdpPayload = 1400;
// With the headers of UDP, IP and Ethernet, as a token bucket counts it.
constexpr double kUdpFrame = 1442;
constexpr double kBurst = 131'072;

// How many times slower than a real machine this one is, as one in emulation says of itself: what it can't
// carry it can't be held to.
int slowness() {
  const char* const times = std::getenv("UMLFARM_TEST_SLOWNESS");
  return times == nullptr ? 1 : std::atoi(times);
}
std::string mbit(int rate) { return std::to_string(rate * 1000 / slowness()) + "k"; }

// A disk with iperf3 and its libraries, as the guest's image has neither.
std::string tools_disk(const TestFarm& farm) {
  const std::string file = farm / "tools.img";
  const Ran made = run_program({"sh", "-ec",
                                "mkdir -p $0/lib; cp $(command -v iperf3) $0; "
                                "for l in $(ldd $0/iperf3 | grep -o '/[^ ]*'); do cp -L $l $0/lib; done; "
                                "truncate -s 24M $1; mke2fs -q -t ext4 -d $0 $1; chmod 644 $1; rm -r $0",
                                farm / "tools", file});
  EXPECT_EQ(made.code, 0) << made.err;
  return file;
}

class TrafficTest : public ::testing::Test {
 protected:
  explicit TrafficTest(const std::string& plan = "") : farm(plan.empty() ? "" : plan_of("net", plan)) {
    farm.create("alice", {"--plan", plan.empty() ? "tiny" : "net", "--disk", tools_disk(farm) + ":ro"});
    serve();
  }

  void serve() {
    farm.in_guest("alice",
                  "mkdir -p /t; mount -o ro /dev/ubdd /t; cd /t; (LD_LIBRARY_PATH=/t/lib "
                  "/t/lib/ld-linux-x86-64.so.2 /t/iperf3 -s -J >/dev/null 2>&1 &); "
                  "for i in $(seq 100); do netstat -ltn | grep -q :5201 && exit 0; sleep 0.1; done; exit 1");
  }
  // What iperf3 says, run beside the guest.
  json::value iperf3(std::vector<std::string> more) const {
    std::vector<std::string> command{
        "nsenter",  "--net=" + farm.netns(),         "iperf3", "--json",
        "--client", farm.field("alice", "address4"), "--time", std::to_string(kSeconds)};
    command.insert(command.end(), more.begin(), more.end());
    const Ran ran = run_program(command);
    EXPECT_EQ(ran.code, 0) << ran.out << ran.err;
    return json::parse(ran.out);
  }
  double received(std::vector<std::string> more) const {
    return iperf3(std::move(more)).at("end").at("sum_received").at("bytes").to_number<double>();
  }
  // Bytes a second of a flood of UDP, as frames, by who receives it; once its burst is through, and while it
  // lasts.
  double flood(const std::string& way) const {
    std::vector<std::string> more{"--udp", "--bitrate", mbit(80), "--length",
                                  std::to_string(int(kUdpPayload))};
    more.push_back(way == "out" ? "-R" : "--get-server-output");
    const json::value said = iperf3(std::move(more));
    const json::array& seconds =
        (way == "out" ? said : said.at("server_output_json")).at("intervals").as_array();
    double bytes = 0;
    double time = 0;
    for (std::size_t i = 1; i + 1 < seconds.size() && i < std::size_t{kSeconds} - 1; ++i) {
      bytes += seconds[i].at("sum").at("bytes").to_number<double>();
      time += seconds[i].at("sum").at("seconds").to_number<double>();
    }
    EXPECT_GT(time, 1);
    return bytes / time * kUdpFrame / kUdpPayload;
  }
  void expect_held(const std::string& way, double rate) const {
    EXPECT_NEAR(flood(way) / rate, 1, 0.02) << way << " " << rate;
  }
  double carried(const char* way) const {
    return farm.json({"quota", "alice"}).at("network").at("ever").at(way).to_number<double>();
  }

  TestFarm farm;
};

TEST_F(TrafficTest, IsCountedAsIperf3CountsIt) {
  for (const char* const way : {"in", "out"}) {
    const double before = carried(way);
    double bytes =
        received(way == std::string("in") ? std::vector<std::string>{} : std::vector<std::string>{"-R"});
    // Nothing is forgotten and nothing counted twice, however the daemon ends, nor with a new tap.
    farm.kill_daemon();
    farm.start_daemon();
    EXPECT_NEAR((carried(way) - before) / bytes, 1, 0.01) << way;
  }
  const double in = carried("in");
  farm.ok({"restart", "alice"});
  EXPECT_GE(carried("in"), in);
  serve();
  const double before = carried("in");
  EXPECT_LT(before, in + 1e6) << "a new tap must count from nothing";
  const double bytes = received({});
  farm.end_daemon();
  farm.start_daemon();
  EXPECT_NEAR((carried("in") - before) / bytes, 1, 0.01);
}

TEST_F(TrafficTest, IsHeldToItsRatesEachWay) {
  for (const int most : {20, 5}) {
    farm.ok({"set", "alice", "--rate-in", mbit(most) + "bit", "--rate-out", mbit(most) + "bit"});
    const double rate = most * 1e6 / 8 / slowness();
    for (const char* const way : {"in", "out"}) expect_held(way, rate);
  }
  // Without limits the same flood gets through.
  farm.ok({"set", "alice", "--rate-in", "0", "--rate-out", "0"});
  for (const char* const way : {"in", "out"}) EXPECT_GT(flood(way), 4e6 / slowness());
  const Ran left =
      run_program({"nsenter", "--net=" + farm.netns(), "ip", "-br", "link", "show", "type", "ifb"});
  EXPECT_EQ(left.out, "");
}

TEST_F(TrafficTest, IsHeldToPacketsASecond) {
  const double most = 1000.0 / slowness();
  farm.ok({"set", "alice", "--packets", std::to_string(static_cast<int>(most))});
  const json::value end = iperf3({"--udp", "--bitrate", mbit(20), "--length", "200"}).at("end");
  const double passed = end.at("sum_received").at("bytes").to_number<double>() / 200;
  const double burst = std::max(16.0, most / 20);
  EXPECT_LE(passed, most * kSeconds * 1.02 + burst);
  EXPECT_GE(passed, most * kSeconds * 0.98 - burst);
  EXPECT_GT(end.at("sum").at("packets").to_number<double>(), 2 * most * kSeconds)
      << "a flood that floods nothing";
}

TEST_F(TrafficTest, EndsWithTheMonthsAllowanceAsItIsAgreed) {
  farm.ok({"set", "alice", "--traffic", "1M", "--traffic-end", "warn"});
  EXPECT_GT(received({}), 1e6);
  const auto told = [&] { return farm.ok({"events"}).find("are used up") != std::string::npos; };
  EXPECT_TRUE(eventually(told));
  farm.ok({"set", "alice", "--traffic-end", "throttle", "--throttled-rate", "2mbit"});
  EXPECT_LE(received({}), 2e6 / 8 * kSeconds * 1.02 + kBurst);
  farm.ok({"set", "alice", "--traffic-end", "stop"});
  const double before = carried("out");
  EXPECT_NE(run_program({"timeout", "3", "nsenter", "--net=" + farm.netns(), "busybox", "nc", "-z",
                         farm.field("alice", "address4"), "22"})
                .code,
            0);
  EXPECT_EQ(carried("out"), before);
  farm.kill_daemon();
  farm.start_daemon();
  EXPECT_TRUE(farm.json({"quota", "alice"}).at("network").at("held_to").at("closed").as_bool());
  farm.ok({"set", "alice", "--traffic", "1T"});
  EXPECT_EQ(farm.in_guest("alice", "hostname"), "alice\n");
}

class LimitedFromItsPlan : public TrafficTest {
 protected:
  LimitedFromItsPlan() : TrafficTest("rate_in = '8mbit'\nrate_out = '4mbit'\npackets = 20000") {}
};

TEST_F(LimitedFromItsPlan, IsHeldFromItsFirstPacketAndAfterARestart) {
  expect_held("in", 1e6);
  farm.ok({"restart", "alice"});
  serve();
  expect_held("in", 1e6);
  expect_held("out", 0.5e6);
}

}  // namespace
}  // namespace umlfarm::testing
