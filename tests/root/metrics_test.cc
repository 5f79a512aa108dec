// What a real Prometheus gets of a farm of real guests.
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <boost/algorithm/string/replace.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <regex>
#include <thread>

#include "provisioner/base/posix.h"
#include "provisioner/base/unique_fd.h"
#include "tests/support/certificate.h"
#include "tests/support/prometheus_server.h"
#include "tests/support/test_farm.h"

namespace umlfarm::testing {
namespace {

namespace json = boost::json;

const std::string kDeployed = std::string(UMLFARM_SOURCE_DIRECTORY) + "/deploy";
constexpr std::int64_t kMiB = 1 << 20;

std::string metrics_at(std::uint16_t port, const std::string& more = "") {
  return "[metrics]\nlisten = '127.0.0.1:" + std::to_string(port) +
         "'\ninterval_seconds = 1\ninside_seconds = 1\n" + more;
}

// As the daemon names itself to Prometheus.
std::string by_file(const TestFarm& farm) {
  return "  - {job_name: umlfarm, file_sd_configs: [{files: [" + farm.run("prometheus.json") + "]}]}\n";
}

class MetricsTest : public ::testing::Test {
 protected:
  MetricsTest() {
    farm.ok({"tenant", "create", "physics", "--memory", "1G", "--disk", "100G", "--guests", "10",
             "--processors", "10"});
    farm.create("alice", {"--tenant", "physics", "--plan", "small"});
    farm.create("bob", {"--plan", "small"});
  }

  // What Prometheus says of alice once it has scraped what was looked at from now on.
  void look_again() const {
    const double now = prometheus.value("vector(time())");
    EXPECT_TRUE(eventually([&] {
      const auto seen = prometheus.query("umlfarm_snapshot_timestamp_seconds");
      return seen.size() == 1 && seen.front().value > now + 0.1;
    }));
  }
  double of_alice(const std::string& metric) const {
    return prometheus.value("umlfarm_guest_" + metric + "{guest=\"alice\"}");
  }
  // The group of the guest's own process, as version 1 or 2 has it for that controller.
  std::string group_file(const std::string& controller, const std::string& v1, const std::string& v2) const {
    const std::string groups =
        posix::read_file("/proc/" + std::to_string(farm.kernel_of("alice")) + "/cgroup").value_or("");
    std::smatch match;
    const std::regex first("[0-9]+:[^:\n]*\\b" + controller + "\\b[^:\n]*:(/[^\n]*)");
    if (std::regex_search(groups, match, first))
      return "/sys/fs/cgroup/" + controller + match[1].str() + "/" + v1;
    const std::regex second("0::(/[^\n]*)");
    EXPECT_TRUE(std::regex_search(groups, match, second)) << groups;
    return "/sys/fs/cgroup" + match[1].str() + "/" + v2;
  }
  static double number_in(const std::string& file, const std::string& pattern = "([0-9]+)") {
    const std::string text = posix::read_file(file).value_or("");
    double sum = 0;
    const std::regex number(pattern);
    for (std::sregex_iterator each(text.begin(), text.end(), number), end; each != end; ++each)
      sum += std::stod((*each)[1]);
    return sum;
  }

  const std::uint16_t port = free_port();
  TestFarm farm{metrics_at(port)};
  const PrometheusServer prometheus{by_file(farm)};
};

TEST_F(MetricsTest, AreWhatTheHostsKernelCounts) {
  farm.in_guest("alice",
                "dd if=/dev/urandom of=/root/x bs=1M count=24 conv=fsync 2>/dev/null; md5sum /root/x; "
                "mkdir /m; mount -t tmpfs none /m; dd if=/dev/zero of=/m/x bs=1M count=40 2>/dev/null");
  // So much that what it is asked between two looks is far less than a hundredth.
  farm.in_guest("alice", "i=0; while [ $i -lt 10000000 ]; do i=$((i + 1)); done");
  // 8 MiB each way, by ssh.
  EXPECT_EQ(farm.in_guest("alice", "dd if=/dev/zero bs=1M count=8 2>/dev/null").size(), 8U * kMiB);
  // Until what the host writes back of it by itself is over.
  farm.in_guest("alice", "sync");
  look_again();
  const auto near = [&](const char* metric, double expected) {
    EXPECT_NEAR(of_alice(metric) / expected, 1, 0.01)
        << metric << ": " << of_alice(metric) << ", " << expected;
  };
  const std::string cpu = group_file("cpuacct", "cpuacct.usage", "cpu.stat");
  near("cpu_seconds_total",
       cpu.ends_with("usage") ? number_in(cpu) / 1e9 : number_in(cpu, "usage_usec ([0-9]+)") / 1e6);
  const std::string memory = group_file("memory", "memory.stat", "memory.stat");
  near("memory_allocated_bytes", number_in(memory, "(?:^|\n)shmem ([0-9]+)"));
  const std::string held = group_file("memory", "memory.usage_in_bytes", "memory.current");
  near("host_memory_bytes", number_in(held));
  const auto blocks = posix::stat(farm.state("guests/" + farm.id("alice") + "/disk.cow"));
  const auto swap = posix::stat(farm.state("guests/" + farm.id("alice") + "/swap.img"));
  near("disk_allocated_bytes", static_cast<double>(blocks->st_blocks) * 512);
  EXPECT_EQ(of_alice("swap_allocated_bytes"), static_cast<double>(swap->st_blocks) * 512);
  const std::string io = group_file("blkio", "blkio.throttle.io_service_bytes", "io.stat");
  near("disk_written_bytes_total",
       number_in(io, io.ends_with("bytes") ? "Write ([0-9]+)" : "wbytes=([0-9]+)"));
  EXPECT_GT(of_alice("disk_written_bytes_total"), 24.0 * kMiB);
  const std::string pids = group_file("pids", "pids.current", "pids.current");
  EXPECT_NEAR(of_alice("processes"), number_in(pids), 2);
  // The tap's figures have Ethernet's headers, and what is no IP.
  const Ran link = run_program({"nsenter", "--net=" + farm.netns(), "sh", "-c",
                                "ip -j -s link show dev tg" + farm.id("alice").substr(1)});
  const json::value tap = json::parse(link.out).at(0).at("stats64");
  constexpr double kHeader = 14;
  for (const auto& [metric, way] :
       {std::pair("network_receive", "tx"), std::pair("network_transmit", "rx")}) {
    const double packets = tap.at(way).at("packets").to_number<double>();
    near((std::string(metric) + "_packets_total").c_str(), packets);
    near((std::string(metric) + "_bytes_total").c_str(),
         tap.at(way).at("bytes").to_number<double>() - packets * kHeader);
  }
  EXPECT_GT(of_alice("network_transmit_bytes_total"), 8.0 * kMiB);
  // Whatever the host's kernel counts of itself.
  EXPECT_NEAR(prometheus.value("umlfarm_host_memory_size_bytes"),
              number_in("/proc/meminfo", "MemTotal: *([0-9]+)") * 1024, 1e6);
  EXPECT_EQ(prometheus.value("up{job=\"umlfarm\"}"), 1);
  EXPECT_EQ(prometheus.value("umlfarm_guests{state=\"ready\"}"), 2);
  EXPECT_EQ(prometheus.value("umlfarm_tenant_memory_limit_bytes"), 1024.0 * kMiB);
}

TEST_F(MetricsTest, GoOnOverTheDaemonsDeathAndAGuestsRestart) {
  look_again();
  const double bytes = of_alice("network_receive_bytes_total");
  EXPECT_GT(bytes, 0);
  farm.ok({"restart", "alice"});
  EXPECT_GT(prometheus.value("umlfarm_actions_total{action=\"launch\"}"), 0);
  look_again();
  EXPECT_GE(of_alice("network_receive_bytes_total"), bytes);
  EXPECT_EQ(prometheus.value("umlfarm_guest_restarts_total{guest=\"alice\",cause=\"panicked\"}"), 0);
  const double after = of_alice("network_receive_bytes_total");
  farm.kill_daemon();
  EXPECT_TRUE(eventually([&] { return prometheus.value("up") == 0; }));
  farm.start_daemon();
  EXPECT_TRUE(eventually([&] { return prometheus.value("up") == 1; }));
  look_again();
  EXPECT_GE(of_alice("network_receive_bytes_total"), after);
  EXPECT_GT(of_alice("cpu_seconds_total"), 0);
}

// None of them may name what is not exported.
class DeployedMetrics : public MetricsTest {
 protected:
  DeployedMetrics() {
    // For what is measured of work.
    farm.ok({"stop", "bob", "--timeout", "1"});
    farm.ok({"start", "bob"});
    look_again();
    farm.ok({"stop", "bob", "--timeout", "1"});
    look_again();
  }
  // Its value, or how many series it has; also for people.
  void expect_series(const std::string& of, const std::string& expression) const {
    const auto series = prometheus.query(expression);
    EXPECT_FALSE(series.empty()) << of << ": " << expression;
    std::printf("%s | %s | %zu series, %g\n", of.c_str(), expression.c_str(), series.size(),
                series.empty() ? 0 : series.front().value);
  }
  static std::string filled_in(std::string expression) {
    for (const auto& [variable, value] : {std::pair("$__rate_interval", "1m"), std::pair("$farm", ".*"),
                                          std::pair("$tenant", "physics"), std::pair("$guest", "alice")}) {
      boost::algorithm::replace_all(expression, variable, value);
    }
    return expression;
  }
};

TEST_F(DeployedMetrics, OfEachPanelAreThere) {
  unsigned panels = 0;
  std::set<std::string> ids;
  for (const auto& file : std::filesystem::directory_iterator(kDeployed + "/grafana")) {
    const json::value dashboard = json::parse(*posix::read_file(file.path()));
    EXPECT_TRUE(ids.insert(json::value_to<std::string>(dashboard.at("uid"))).second) << file.path();
    EXPECT_EQ(file.path().stem(), dashboard.at("uid").as_string().c_str());
    for (const json::value& variable : dashboard.at("templating").at("list").as_array()) {
      std::smatch match;
      const std::string query = json::value_to<std::string>(variable.at("query"));
      const std::regex values("label_values\\((.*), ([a-z]+)\\)");
      if (std::regex_match(query, match, values)) expect_series(query, filled_in(match[1]));
    }
    for (const json::value& panel : dashboard.at("panels").as_array()) {
      ++panels;
      for (const json::value& target : panel.at("targets").as_array()) {
        expect_series(file.path().stem().string() + ", " + json::value_to<std::string>(panel.at("title")),
                      filled_in(json::value_to<std::string>(target.at("expr"))));
      }
    }
  }
  EXPECT_EQ(ids.size(), 4U);
  EXPECT_GT(panels, 50U);
}

TEST_F(DeployedMetrics, OfEachAlarmAreThereAndNoneSoundsForNothing) {
  const json::value groups = prometheus.get("/api/v1/rules");
  unsigned alarms = 0;
  const std::regex comparison("(.*) (==|>) [0-9.]+");
  for (const json::value& rule : groups.at("groups").at(0).at("rules").as_array()) {
    const std::string name = json::value_to<std::string>(rule.at("name"));
    const std::string expression = json::value_to<std::string>(rule.at("query"));
    std::smatch match;
    ASSERT_TRUE(std::regex_match(expression, match, comparison)) << name << ": " << expression;
    // Of what is not there, there is nothing.
    if (expression.find("absent(") == std::string::npos) expect_series(name, match[1]);
    EXPECT_EQ(rule.at("health"), "ok") << name;
    // What a few seconds make of the next day is nothing to go by.
    if (expression.find("predict_linear") == std::string::npos) {
      EXPECT_EQ(rule.at("state"), "inactive") << name << " sounds in a farm that is well";
    }
    const json::value& said = rule.at("annotations");
    EXPECT_GT(said.at("summary").as_string().size(), 10U) << name;
    EXPECT_GT(said.at("runbook").as_string().size(), 20U) << name;
    ++alarms;
  }
  EXPECT_GT(alarms, 15U);
}

TEST_F(DeployedMetrics, SatisfyPromtool) {
  const std::string promtool = PrometheusServer::program("promtool");
  const Ran rules = run_program({promtool, "check", "rules", kDeployed + "/prometheus/umlfarm.rules.yml"});
  EXPECT_EQ(rules.code, 0) << rules.out << rules.err;
  const Ran tested = run_program(
      {promtool, "test", "rules", std::string(UMLFARM_SOURCE_DIRECTORY) + "/tests/metrics/alarms.yml"});
  EXPECT_EQ(tested.code, 0) << tested.out << tested.err;
  std::ofstream(farm / "metrics") << farm.ok({"metrics"});
  const Ran metrics = run_program({"sh", "-c", promtool + " check metrics <" + (farm / "metrics")});
  EXPECT_EQ(metrics.code, 0) << metrics.out << metrics.err;
  EXPECT_EQ(metrics.out + metrics.err, "") << "not by the conventions";
}

TEST(Metrics, AreServedOverTlsToWhoHasTheToken) {
  const TemporaryDirectory directory;
  const std::string token(32, 'a');
  std::ofstream(directory / "token") << token << "\n";
  const Certificate made = make_certificate(directory);
  const std::uint16_t port = free_port();
  const TestFarm farm(metrics_at(port, "certificate = '" + made.certificate + "'\nkey = '" + made.key +
                                           "'\ntoken_file = '" + (directory / "token") + "'\n"));
  const std::string scrape = "    scheme: https\n    tls_config: {ca_file: " + made.certificate +
                             "}\n    static_configs: [{targets: ['127.0.0.1:" + std::to_string(port) +
                             "']}]\n";
  const PrometheusServer prometheus(
      "  - job_name: with\n    authorization: {credentials_file: " + (directory / "token") + "}\n" + scrape +
      "  - job_name: without\n" + scrape);
  EXPECT_TRUE(eventually([&] { return prometheus.value("sum(up{job=\"with\"}) or vector(0)") == 1; }));
  EXPECT_TRUE(eventually([&] { return !prometheus.query("up{job=\"without\"}").empty(); }));
  EXPECT_EQ(prometheus.value("up{job=\"without\"}"), 0);
  EXPECT_EQ(prometheus.value("count(umlfarm_build_info)"), 1);
}

// Whoever counts the host, or does not.
class LibvirtTest : public ::testing::Test {
 protected:
  static std::string config(const std::string& uri) {
    return "[metrics]\nlisten = ''\ninterval_seconds = 1\n[capacity]\nlibvirt = '" + uri + "'\n";
  }
  static double up(const TestFarm& farm) {
    std::smatch match;
    const std::string text = farm.ok({"metrics"});
    return std::regex_search(text, match, std::regex("\numlfarm_host_libvirt_up ([01])\n"))
               ? std::stod(match[1])
               : -1;
  }
  static double memory(const TestFarm& farm) {
    std::smatch match;
    const std::string text = farm.ok({"metrics"});
    EXPECT_TRUE(std::regex_search(text, match, std::regex("\numlfarm_host_memory_size_bytes ([0-9.e+]+)\n")));
    return std::stod(match[1]);
  }
  static bool is_looked_at(const TestFarm& farm) {
    return eventually([&] { return farm.umlfarm({"metrics"}).code == 0; });
  }
};

TEST_F(LibvirtTest, IsAskedByItsEmbeddedDriverAndByATestDriver) {
  double by_embedded = 0;
  for (const char* const uri : {"qemu:///embed", "test:///default"}) {
    const TestFarm farm(config(uri), false);
    ASSERT_TRUE(is_looked_at(farm));
    EXPECT_TRUE(eventually([&] { return up(farm) == 1; })) << uri << farm.ok({"status"});
    if (by_embedded == 0) by_embedded = memory(farm);
    // What the test driver can't say of memory, the kernel does.
    EXPECT_EQ(memory(farm), by_embedded) << uri;
    EXPECT_NE(farm.ok({"host", "show"}).find(std::string("counted by ") + uri), std::string::npos);
  }
}

TEST_F(LibvirtTest, ThatNobodyReachesIsSaidToBeSo) {
  const TestFarm farm(config("qemu+tcp://127.0.0.1:1/system"), false);
  ASSERT_TRUE(is_looked_at(farm));
  EXPECT_TRUE(eventually([&] { return farm.ok({"status"}).find("libvirt") != std::string::npos; }));
  EXPECT_TRUE(eventually([&] { return up(farm) == 0; }));
  EXPECT_GT(memory(farm), 1e8) << "by the kernel's word";
}

TEST_F(LibvirtTest, ThatIsNotAskedForHasNoMetric) {
  const TestFarm farm(config(""), false);
  ASSERT_TRUE(is_looked_at(farm));
  EXPECT_EQ(up(farm), -1);
}

// A peer that takes the connection and never says a word.
TEST_F(LibvirtTest, ThatHangsKeepsNobodyWaiting) {
  const TemporaryDirectory directory;
  const std::string path = directory / "s";
  const UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(listener.get(), 8), 0);
  const TestFarm farm(config("qemu+unix:///system?socket=" + path), false);
  ASSERT_TRUE(is_looked_at(farm));
  pollfd asked{listener.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&asked, 1, 10'000), 1) << "libvirt was not asked";
  for (int i = 0; i < 20; ++i) {
    const Ran ran =
        run_program({"timeout", "5", std::string(UMLFARM_BUILD_DIRECTORY) + "/provisioner/cli/umlfarm",
                     "--socket", farm.socket(), "status"});
    EXPECT_EQ(ran.code, 0) << ran.err;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(up(farm), 0);
}

TEST(Metrics, KeepNoFarmFromRunningWhoseAddressIsTaken) {
  const std::uint16_t port = free_port();
  const TestFarm first(metrics_at(port));
  const TestFarm second(metrics_at(port));
  EXPECT_NE(second.ok({"status"}).find("metrics are not served"), std::string::npos);
  EXPECT_TRUE(posix::exists(second.run("prometheus.json"))) << "so that somebody notices";
  EXPECT_NE(second.ok({"metrics"}).find("umlfarm_build_info"), std::string::npos) << "by its socket";
  const auto ask = [&](const std::string& path) {
    return run_program({"curl", "--silent", "--noproxy", "*", "--max-time", "20",
                        "http://127.0.0.1:" + std::to_string(port) + path})
        .out;
  };
  EXPECT_EQ(ask("/healthz"), "ok\n");
  EXPECT_EQ(ask("/readyz"), "ok\n");
}

}  // namespace
}  // namespace umlfarm::testing
