// The daemon's configuration: plain values with their defaults, and the file that changes them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "provisioner/base/byte_size.h"
#include "provisioner/base/result.h"
#include "provisioner/config/listen.h"
#include "quota/capacity.h"
#include "quota/limits.h"
#include "quota/watch.h"

namespace umlfarm::config {

struct Network {
  std::string pool4 = "10.77.0.0/16";              // the first host address is the bridge's
  std::string pool6 = "fd75:6d6c:6661:726d::/64";  // empty: no IPv6
  std::vector<std::string> dns;                    // what guests ask; empty: none
  bool isolate = true;                             // guests don't reach each other
  std::string uplink;   // IPv4 /30 between the farm and the machine, over which guests reach out; empty: none
  bool routed = false;  // whether guests have their own addresses beyond the uplink, and are reached by them
};

struct Guests {
  std::uint32_t first_uid = 2'000'000;  // a guest's uid and gid are of its own, from this range
  std::uint32_t uids = 60'000;
  unsigned parallel = 2;  // guests worked on, and guests that boot, at once: for each processor of the host
  unsigned ready_seconds = 120;  // until a guest that isn't ready counts as unhealthy
  unsigned stop_seconds = 30;    // patience of `stop` where it names none
  unsigned restarts = 5;         // in a row, until a guest that dies by itself counts as failed
  unsigned balance_seconds =
      5;  // between two looks at which processors are busy; 0: guests stay where they start
  // In percent of the time, by which idle guests are asked for what they only cache while the host waits for
  // memory; 0: always, 100: never.
  unsigned reclaim_pressure = 10;
  std::string default_plan = "small";
  std::string default_image = "debian-12";
};

struct Metrics {
  Listen listen{"127.0.0.1", 9753};
  unsigned interval_seconds = 15;  // between two looks at the farm
  unsigned inside_seconds = 0;     // between two questions to each guest's kernel how it is; 0: none
  // Files. Where others than this host reach it, it takes all three.
  std::string certificate = {};
  std::string key = {};
  std::string token_file = {};
};

struct Usage {
  unsigned keep_months = 14;  // of what guests have used, hour by hour
};

struct Events {
  unsigned keep = 10'000;
  unsigned keep_days = 365;
};

struct Config {
  std::vector<std::uint32_t> admins;  // uids that may use the socket beside root
  Network network;
  Guests guests;
  Metrics metrics;
  Usage usage;
  Events events;
  quota::WatchRules watch;
  quota::Overcommit capacity;
  std::vector<quota::Plan> plans;  // tiny to capacity, unless the file has plans of its own
};

Config defaults();

// The defaults changed by a TOML document. Invalid with every fault at once, each with its line.
Result<Config> parse(const std::string& text, const std::string& name);
// The defaults where the file is missing.
Result<Config> load(const std::string& path);

}  // namespace umlfarm::config
