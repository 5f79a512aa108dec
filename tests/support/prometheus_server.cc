#include "tests/support/prometheus_server.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <fstream>

#include "provisioner/base/posix.h"
#include "tests/support/run_program.h"
#include "tests/support/test_farm.h"

namespace umlfarm::testing {

namespace json = boost::json;

std::string PrometheusServer::program(const std::string& name) {
  const char* const directory = std::getenv("UMLFARM_TEST_PROMETHEUS");
  const std::string path = std::string(directory == nullptr ? "" : directory) + "/" + name;
  EXPECT_TRUE(posix::exists(path)) << "UMLFARM_TEST_PROMETHEUS names no directory with " << name
                                   << "; run the tests by 'sudo tests/run'";
  return path;
}

PrometheusServer::PrometheusServer(const std::string& scrape) {
  std::ofstream(directory_ / "prometheus.yml")
      << "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
      << "rule_files: [" << UMLFARM_SOURCE_DIRECTORY << "/deploy/prometheus/umlfarm.rules.yml]\n"
      << "scrape_configs:\n"
      << scrape;
  process_ = start_program({program("prometheus"), "--config.file=" + (directory_ / "prometheus.yml"),
                            "--storage.tsdb.path=" + (directory_ / "data"), "--log.level=warn",
                            "--web.listen-address=127.0.0.1:" + std::to_string(port_)},
                           directory_ / "log");
  const auto is_ready = [this] {
    return run_program({"curl", "--silent", "--fail", "--noproxy", "*", "--max-time", "5",
                        "http://127.0.0.1:" + std::to_string(port_) + "/-/ready"})
               .code == 0;
  };
  EXPECT_TRUE(eventually(is_ready)) << posix::read_file(directory_ / "log").value_or("no log");
}

PrometheusServer::~PrometheusServer() {
  if (process_ <= 0) return;
  ::kill(process_, SIGTERM);
  wait_for_end(process_);
}

json::value PrometheusServer::get(const std::string& path, const std::vector<std::string>& more) const {
  std::vector<std::string> command{"curl", "--silent", "--get", "--noproxy", "*", "--max-time", "20"};
  command.insert(command.end(), more.begin(), more.end());
  command.push_back("http://127.0.0.1:" + std::to_string(port_) + path);
  const Ran ran = run_program(command);
  EXPECT_EQ(ran.code, 0) << path << ": " << ran.err;
  boost::system::error_code error;
  const json::value answer = json::parse(ran.out, error);
  if (error || !answer.is_object() || answer.at("status") != "success") {
    ADD_FAILURE() << path << (more.empty() ? "" : " " + more.back()) << ": " << ran.out;
    return json::object{{"result", json::array()}};
  }
  return answer.at("data");
}

std::vector<Series> PrometheusServer::query(const std::string& expression) const {
  std::vector<Series> all;
  const json::value data = get("/api/v1/query", {"--data-urlencode", "query=" + expression});
  for (const json::value& each : data.at("result").as_array()) {
    Series series;
    series.labels = json::value_to<std::map<std::string, std::string>>(each.at("metric"));
    series.value = std::strtod(each.at("value").at(1).as_string().c_str(), nullptr);
    all.push_back(std::move(series));
  }
  return all;
}

double PrometheusServer::value(const std::string& expression) const {
  const std::vector<Series> all = query(expression);
  EXPECT_EQ(all.size(), 1U) << expression;
  return all.empty() ? -1 : all.front().value;
}

}  // namespace umlfarm::testing
