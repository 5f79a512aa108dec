#include "provisioner/config/config.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "provisioner/base/ids.h"
#include "provisioner/base/posix.h"
#include "provisioner/config/toml_reader.h"
#include "quota/limit_fields.h"

namespace umlfarm::config {
namespace {

void read_network(Reader& reader, const toml::table& table, Network& network) {
  reader.known_keys(table, {"pool4", "pool6", "dns", "isolate", "uplink", "routed"});
  reader.read(table, "pool4", network.pool4);
  reader.read(table, "pool6", network.pool6);
  reader.read(table, "dns", network.dns);
  for (const std::string& server : network.dns) {
    std::array<std::uint8_t, 16> parsed{};
    if (::inet_pton(AF_INET, server.c_str(), parsed.data()) != 1 &&
        ::inet_pton(AF_INET6, server.c_str(), parsed.data()) != 1) {
      reader.fault(table.get("dns")->source(), "dns: '" + server + "' is not an IPv4 or IPv6 address");
    }
  }
  reader.read(table, "isolate", network.isolate);
  reader.read(table, "uplink", network.uplink);
  reader.read(table, "routed", network.routed);
}

void read_guests(Reader& reader, const toml::table& table, Guests& guests) {
  reader.known_keys(table, {"first_uid", "uids", "parallel", "ready_seconds", "stop_seconds", "restarts",
                            "balance_seconds", "reclaim_pressure", "default_plan", "default_image"});
  reader.read(table, "first_uid", guests.first_uid, 1000, 4'000'000'000);
  reader.read(table, "uids", guests.uids, 1, 1'000'000);
  reader.read(table, "parallel", guests.parallel, 1, 256);
  reader.read(table, "ready_seconds", guests.ready_seconds, 1, 86'400);
  reader.read(table, "stop_seconds", guests.stop_seconds, 0, 86'400);
  reader.read(table, "restarts", guests.restarts, 0, 1000);
  reader.read(table, "balance_seconds", guests.balance_seconds, 0, 3600);
  reader.read(table, "reclaim_pressure", guests.reclaim_pressure, 0, 100);
  reader.read(table, "default_plan", guests.default_plan);
  reader.read(table, "default_image", guests.default_image);
}

void read_capacity(Reader& reader, const toml::table& table, quota::Overcommit& capacity) {
  reader.known_keys(table, {"memory_reserve", "disk_reserve", "memory_percent", "disk_percent",
                            "processors_percent", "libvirt"});
  reader.read(table, "memory_reserve", capacity.memory_reserve);
  reader.read(table, "disk_reserve", capacity.disk_reserve);
  reader.read(table, "memory_percent", capacity.memory_percent, 1, 10'000);
  reader.read(table, "disk_percent", capacity.disk_percent, 1, 100'000);
  reader.read(table, "libvirt", capacity.libvirt);
  reader.read(table, "processors_percent", capacity.processors_percent, 1, 1'000'000);
}

// Seldomer, alarms and graphs would take it for one that hangs (deploy/prometheus/umlfarm.rules.yml).
constexpr unsigned kMostInterval = 60;

void read_metrics(Reader& reader, const toml::table& table, Metrics& metrics) {
  reader.known_keys(table,
                    {"listen", "interval_seconds", "inside_seconds", "certificate", "key", "token_file"});
  reader.read_parsed(table, "listen", metrics.listen, "an address and a port", &parse_listen);
  reader.read(table, "interval_seconds", metrics.interval_seconds, 1, kMostInterval);
  reader.read(table, "inside_seconds", metrics.inside_seconds, 0, 86'400);
  reader.read(table, "certificate", metrics.certificate);
  reader.read(table, "key", metrics.key);
  reader.read(table, "token_file", metrics.token_file);
  const bool guarded = !metrics.certificate.empty() && !metrics.key.empty() && !metrics.token_file.empty();
  if (!metrics.listen.loopback && !guarded) {
    reader.fault(table.get("listen")->source(),
                 "listen = '" + metrics.listen.str() +
                     "': others than this host reach that; set certificate, key and token_file too");
  }
}

void read_usage(Reader& reader, const toml::table& table, Usage& usage) {
  reader.known_keys(table, {"keep_months"});
  reader.read(table, "keep_months", usage.keep_months, 1, 1200);
}

void read_events(Reader& reader, const toml::table& table, Events& events) {
  reader.known_keys(table, {"keep", "keep_days"});
  reader.read(table, "keep", events.keep, 100, 10'000'000);
  reader.read(table, "keep_days", events.keep_days, 1, 36'500);
}

void read_watch(Reader& reader, const toml::table& table, quota::WatchRules& watch) {
  reader.known_keys(table, {"processes_percent", "busy_percent", "busy_minutes"});
  reader.read(table, "processes_percent", watch.processes_percent, 0, 100);
  reader.read(table, "busy_percent", watch.busy_percent, 0, 100);
  reader.read(table, "busy_minutes", watch.busy_minutes, 0, 1'000'000);
}

template <typename T>
void read_limit(Reader& reader, const toml::table& table, std::string_view key, T& to) {
  reader.read(table, key, to);
}
void read_limit(Reader& reader, const toml::table& table, std::string_view key, quota::TrafficEnd& to) {
  reader.read_parsed(table, key, to, "a word", &quota::parse_traffic_end);
}

void read_plan(Reader& reader, const toml::table& table, std::vector<quota::Plan>& plans) {
  quota::Plan plan;
  std::set<std::string_view> known{"name", "summary", "kernel", "durable_disks", "tap_offload"};
  for (const quota::LimitField& field : quota::limit_fields()) known.insert(field.name);
  reader.known_keys(table, known);
  reader.read(table, "name", plan.name);
  for (const quota::LimitField& field : quota::limit_fields()) {
    std::visit([&](auto member) { read_limit(reader, table, field.name, plan.limits.*member); },
               field.member);
  }
  reader.read(table, "summary", plan.summary);
  reader.read(table, "kernel", plan.kernel);
  reader.read(table, "durable_disks", plan.durable_disks);
  reader.read(table, "tap_offload", plan.tap_offload);
  if (Status named = check_name("plan name", plan.name); !named) {
    return reader.fault(table.source(), named.error().message());
  }
  if (Status named = check_name("kernel", plan.kernel); !plan.kernel.empty() && !named) {
    return reader.fault(table.source(), "plan " + plan.name + ": " + named.error().message());
  }
  if (Status checked = quota::check_limits(plan.limits); !checked) {
    return reader.fault(table.source(), "plan " + plan.name + ": " + checked.error().message());
  }
  for (const quota::Plan& other : plans) {
    if (other.name == plan.name)
      return reader.fault(table.source(), "plan " + plan.name + ": there is one already");
  }
  plans.push_back(std::move(plan));
}

void read_plans(Reader& reader, const toml::table& root, std::vector<quota::Plan>& plans) {
  const toml::node* node = root.get("plan");
  if (node == nullptr) return;
  if (!node->is_array_of_tables()) return reader.fault(node->source(), "plans are written as [[plan]]");
  plans.clear();
  for (const toml::node& item : *node->as_array()) read_plan(reader, *item.as_table(), plans);
}

void check_default_plan(Reader& reader, const toml::table& root, const Config& config) {
  const auto named = root["guests"]["default_plan"];
  if (!named) return;
  const bool there = std::any_of(config.plans.begin(), config.plans.end(), [&](const quota::Plan& plan) {
    return plan.name == config.guests.default_plan;
  });
  if (!there)
    reader.fault(named.node()->source(),
                 "default_plan: there is no plan '" + config.guests.default_plan + "'");
}

Config read(Reader& reader, const toml::table& root) {
  Config config = defaults();
  reader.known_keys(
      root, {"admins", "network", "guests", "metrics", "usage", "events", "watch", "capacity", "plan"});
  reader.read(root, "admins", config.admins);
  if (const auto* table = reader.section(root, "network")) read_network(reader, *table, config.network);
  if (const auto* table = reader.section(root, "guests")) read_guests(reader, *table, config.guests);
  if (const auto* table = reader.section(root, "metrics")) read_metrics(reader, *table, config.metrics);
  if (const auto* table = reader.section(root, "usage")) read_usage(reader, *table, config.usage);
  if (const auto* table = reader.section(root, "events")) read_events(reader, *table, config.events);
  if (const auto* table = reader.section(root, "watch")) read_watch(reader, *table, config.watch);
  if (const auto* table = reader.section(root, "capacity")) read_capacity(reader, *table, config.capacity);
  read_plans(reader, root, config.plans);
  check_default_plan(reader, root, config);
  return config;
}

}  // namespace

Config defaults() {
  Config config;
  quota::Limits capacity{ByteSize::gib(64), ByteSize::gib(20), ByteSize(), 1024};
  capacity.host_memory = ByteSize::gib(4);
  config.plans = {
      {"tiny", {ByteSize::mib(32), ByteSize::gib(1), ByteSize(), 256}, "a shell of one's own"},
      {"small", {ByteSize::mib(256), ByteSize::gib(10), ByteSize::mib(256), 512}, "a small server"},
      {"medium", {ByteSize::gib(1), ByteSize::gib(20), ByteSize::gib(1), 1024}, "a server with room"},
      {"large", {ByteSize::gib(4), ByteSize::gib(40), ByteSize::gib(2), 2048}, "a large server"},
      {"capacity", capacity, "much memory to look at, and a part of it to use"},
  };
  return config;
}

Result<Config> parse(const std::string& text, const std::string& name) {
  UMLFARM_ASSIGN(const toml::table root, parse_toml(text, name));
  Reader reader(name);
  Config config = read(reader, root);
  if (!reader.faults().empty()) return Error(Kind::Invalid, "configuration:" + reader.faults());
  return config;
}

Result<Config> load(const std::string& path) {
  if (!posix::exists(path)) return defaults();
  UMLFARM_ASSIGN(const std::string text, posix::read_file(path));
  return parse(text, path);
}

}  // namespace umlfarm::config
