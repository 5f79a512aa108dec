// A real Prometheus that scrapes a farm, with the rules and alarms that are deployed.
#pragma once

#include <boost/json.hpp>
#include <map>
#include <string>
#include <vector>

#include "tests/support/free_port.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::testing {

struct Series {
  std::map<std::string, std::string> labels;
  double value = 0;
};

class PrometheusServer {
 public:
  // Of Debian's package.
  static std::string program(const std::string& name);

  // `scrape` is the list of a configuration's scrape_configs.
  explicit PrometheusServer(const std::string& scrape);
  ~PrometheusServer();
  PrometheusServer(const PrometheusServer&) = delete;
  PrometheusServer& operator=(const PrometheusServer&) = delete;

  // What the expression is now. A fault of the expression is the test's.
  std::vector<Series> query(const std::string& expression) const;
  // Of the one series that it is; a failure where it is another number of them.
  double value(const std::string& expression) const;
  // Its answer to that address, from "data" on.
  boost::json::value get(const std::string& path, const std::vector<std::string>& more = {}) const;

 private:
  const TemporaryDirectory directory_;
  const std::uint16_t port_ = free_port();
  pid_t process_ = -1;
};

}  // namespace umlfarm::testing
