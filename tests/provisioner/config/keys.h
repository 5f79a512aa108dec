// Every key outside the plans: a value that it may have, and where that value arrives.
#pragma once

#include <string>
#include <vector>

#include "provisioner/config/config.h"

namespace umlfarm::config {

struct Key {
  const char* section;  // empty: the top of the document
  const char* name;
  const char* value;  // as written, and not the default
  const char* shown;  // as `read` gives it back
  std::string (*read)(const Config&);

  // A document with this key alone, which is on its last line.
  std::string document(const std::string& written) const {
    const std::string heading = *section == '\0' ? "\n" : "[" + std::string(section) + "]\n";
    return heading + name + " = " + written + "\n";
  }
};

template <typename Items, typename Show>
std::string joined(const Items& items, Show show) {
  std::string text;
  for (const auto& item : items) text += (text.empty() ? "" : " ") + show(item);
  return text;
}

inline std::string show(const std::string& text) { return text; }
inline std::string show(bool value) { return value ? "true" : "false"; }
inline std::string show(std::uint32_t number) { return std::to_string(number); }
inline std::string show(ByteSize size) { return size.str(); }
inline std::string show(const std::vector<std::string>& items) {
  return joined(items, [](const std::string& item) { return item; });
}
inline std::string show(const std::vector<std::uint32_t>& items) {
  return joined(items, [](std::uint32_t item) { return std::to_string(item); });
}

inline const std::vector<Key>& keys() {
  static const std::vector<Key> all{
      {"", "admins", "[1000, 1001]", "1000 1001", [](const Config& c) { return show(c.admins); }},
      {"network", "pool4", "'10.9.0.0/24'", "10.9.0.0/24", [](const Config& c) { return c.network.pool4; }},
      {"network", "pool6", "''", "", [](const Config& c) { return c.network.pool6; }},
      {"network", "dns", "['10.0.0.1', 'fd00::1']", "10.0.0.1 fd00::1",
       [](const Config& c) { return show(c.network.dns); }},
      {"network", "isolate", "false", "false", [](const Config& c) { return show(c.network.isolate); }},
      {"network", "uplink", "'10.78.0.0/30'", "10.78.0.0/30",
       [](const Config& c) { return c.network.uplink; }},
      {"network", "routed", "true", "true", [](const Config& c) { return show(c.network.routed); }},
      {"guests", "first_uid", "70000", "70000", [](const Config& c) { return show(c.guests.first_uid); }},
      {"guests", "uids", "20", "20", [](const Config& c) { return show(c.guests.uids); }},
      {"guests", "parallel", "3", "3", [](const Config& c) { return show(c.guests.parallel); }},
      {"guests", "ready_seconds", "7", "7", [](const Config& c) { return show(c.guests.ready_seconds); }},
      {"guests", "stop_seconds", "0", "0", [](const Config& c) { return show(c.guests.stop_seconds); }},
      {"guests", "restarts", "0", "0", [](const Config& c) { return show(c.guests.restarts); }},
      {"guests", "balance_seconds", "0", "0", [](const Config& c) { return show(c.guests.balance_seconds); }},
      {"guests", "reclaim_pressure", "55", "55",
       [](const Config& c) { return show(c.guests.reclaim_pressure); }},
      {"guests", "default_plan", "'tiny'", "tiny", [](const Config& c) { return c.guests.default_plan; }},
      {"guests", "default_image", "'mine'", "mine", [](const Config& c) { return c.guests.default_image; }},
      {"metrics", "listen", "'[::1]:9000'", "[::1]:9000",
       [](const Config& c) { return c.metrics.listen.str(); }},
      {"metrics", "interval_seconds", "1", "1",
       [](const Config& c) { return show(c.metrics.interval_seconds); }},
      {"metrics", "inside_seconds", "600", "600",
       [](const Config& c) { return show(c.metrics.inside_seconds); }},
      {"metrics", "certificate", "'/c'", "/c", [](const Config& c) { return c.metrics.certificate; }},
      {"metrics", "key", "'/k'", "/k", [](const Config& c) { return c.metrics.key; }},
      {"metrics", "token_file", "'/t'", "/t", [](const Config& c) { return c.metrics.token_file; }},
      {"usage", "keep_months", "3", "3", [](const Config& c) { return show(c.usage.keep_months); }},
      {"events", "keep", "200", "200", [](const Config& c) { return show(c.events.keep); }},
      {"events", "keep_days", "7", "7", [](const Config& c) { return show(c.events.keep_days); }},
      {"watch", "processes_percent", "50", "50",
       [](const Config& c) { return show(c.watch.processes_percent); }},
      {"watch", "busy_percent", "50", "50", [](const Config& c) { return show(c.watch.busy_percent); }},
      {"watch", "busy_minutes", "1", "1", [](const Config& c) { return show(c.watch.busy_minutes); }},
      {"capacity", "memory_reserve", "'1 GiB'", "1 GiB",
       [](const Config& c) { return show(c.capacity.memory_reserve); }},
      {"capacity", "disk_reserve", "'0'", "0 B",
       [](const Config& c) { return show(c.capacity.disk_reserve); }},
      {"capacity", "memory_percent", "150", "150",
       [](const Config& c) { return show(c.capacity.memory_percent); }},
      {"capacity", "disk_percent", "90", "90", [](const Config& c) { return show(c.capacity.disk_percent); }},
      {"capacity", "processors_percent", "400", "400",
       [](const Config& c) { return show(c.capacity.processors_percent); }},
      {"capacity", "libvirt", "'qemu:///system'", "qemu:///system",
       [](const Config& c) { return c.capacity.libvirt; }},
  };
  return all;
}

}  // namespace umlfarm::config
