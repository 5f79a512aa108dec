// Limits, and what is promised and used of them.
#include <algorithm>
#include <boost/algorithm/string/join.hpp>
#include <boost/json.hpp>
#include <map>

#include "provisioner/base/bit_rate.h"
#include "provisioner/base/byte_size.h"
#include "provisioner/base/printable.h"
#include "provisioner/base/table.h"
#include "provisioner/cli/render.h"

namespace umlfarm::cli {

namespace json = boost::json;

namespace {

std::string amount(std::string_view resource, std::uint64_t value) {
  return resource == "memory" || resource == "disk" ? human_size(value) : std::to_string(value);
}

std::uint64_t number(const json::value& object, std::string_view key) {
  return object.at(key).to_number<std::uint64_t>();
}

// "3 of 10"; "3" where there is no limit.
std::string of_limit(const json::value& promised, const json::value& limits, const char* resource) {
  const json::value& most = limits.at(resource);
  return amount(resource, number(promised, resource)) +
         (most.is_null() ? "" : " of " + amount(resource, most.to_number<std::uint64_t>()));
}

Row row_of(const std::string& name, const json::value& promised, const json::value& limits) {
  Row row{name};
  for (const char* const resource : kResources) row.push_back(of_limit(promised, limits, resource));
  return row;
}

std::string name_of(const json::value& tenant) {
  return printable(json::value_to<std::string>(tenant.at("name")));
}

}  // namespace

std::string render_tenants(const json::value& document) {
  std::vector<Row> rows;
  for (const json::value& tenant : document.at("tenants").as_array()) {
    rows.push_back(row_of(name_of(tenant), tenant.at("promised"), tenant.at("limits")));
  }
  return table({"TENANT", "GUESTS", "MEMORY", "DISK", "PROCESSORS"}, rows);
}

std::string render_tenant(const json::value& tenant) {
  std::vector<Row> rows{row_of(name_of(tenant), tenant.at("promised"), tenant.at("limits"))};
  for (const auto& [user, promised] : tenant.at("users").as_object()) {
    rows.push_back(row_of("user " + printable(std::string(user)), promised, tenant.at("each_user")));
  }
  std::string shown = table({"TENANT", "GUESTS", "MEMORY", "DISK", "PROCESSORS"}, rows);
  std::vector<std::string> each;
  for (const char* const resource : kResources) {
    const json::value& most = tenant.at("each_user").at(resource);
    if (most.is_null()) continue;
    each.push_back(std::string(resource) + " " + amount(resource, most.to_number<std::uint64_t>()));
  }
  if (!each.empty()) shown += "each user has at most: " + boost::algorithm::join(each, ", ") + "\n";
  return shown;
}

std::string render_host(const json::value& document) {
  std::vector<Row> rows;
  for (const char* const resource : {"memory", "disk", "processors"}) {
    const json::value& share = document.at(resource);
    const auto text = [&](const char* key) { return amount(resource, number(share, key)); };
    const std::uint64_t most = number(share, "capacity");
    const std::uint64_t promised = number(share, "promised");
    rows.push_back({resource, text("has"), "- " + text("domains"), "- " + text("reserve"),
                    "x " + std::to_string(number(share, "percent")) + " %", "= " + text("capacity"),
                    text("promised"), amount(resource, most > promised ? most - promised : 0)});
  }
  std::string shown =
      table({"RESOURCE", "HOST HAS", "OTHERS", "RESERVE", "PERCENT", "FOR GUESTS", "PROMISED", "LEFT"}, rows,
            {1, 2, 3, 4, 5, 6, 7});
  const json::array& cells = document.at("cells").as_array();
  if (cells.size() > 1) {
    std::vector<std::string> sizes;
    for (const json::value& cell : cells) sizes.push_back(human_size(cell.to_number<std::uint64_t>()));
    shown += "NUMA cells: " + boost::algorithm::join(sizes, ", ") + "\n";
  }
  shown += "quota of the disk: " + printable(json::value_to<std::string>(document.at("disk_quota"))) + "\n";
  shown += "counted by " + printable(json::value_to<std::string>(document.at("source"))) +
           "; virtual machines of others here: " + std::to_string(number(document, "domains")) + "\n";
  return shown;
}

namespace {

std::string or_dash(bool known, const std::string& text) { return known ? text : "-"; }

// LIMIT, USED, PEAK and LEFT of one thing. What this host does not count has no peak.
Row limit_row(const std::string& name, std::string_view kind, const json::value& figures) {
  const std::uint64_t limit = number(figures, "limit");
  const std::uint64_t used = number(figures, "used");
  const json::value* const peak = figures.as_object().if_contains("peak");
  const std::uint64_t most = peak == nullptr ? 0 : peak->to_number<std::uint64_t>();
  return {name, amount(kind, limit), amount(kind, used), or_dash(most != 0, amount(kind, most)),
          amount(kind, limit > used ? limit - used : 0)};
}

std::string tenths(std::uint64_t value, std::uint64_t unit) {
  const std::uint64_t scaled = (value * 10 + unit / 2) / unit;
  return std::to_string(scaled / 10) + "." + std::to_string(scaled % 10);
}

constexpr std::uint64_t kNsPerSecond = 1'000'000'000;

// A guest that was started again counts from nothing.
std::uint64_t gained(const json::value& was, const json::value& is, const char* key) {
  const std::uint64_t before = number(was, key);
  const std::uint64_t now = number(is, key);
  return now > before ? now - before : 0;
}

std::string carried(const json::value& bytes) {
  return human_size(number(bytes, "in")) + " in, " + human_size(number(bytes, "out")) + " out";
}

std::string render_disk_io(const json::value& io) {
  std::vector<std::string> most;
  for (const auto& [key, what] : {std::pair{"read_rate", "/s read"}, std::pair{"write_rate", "/s written"}}) {
    if (number(io, key) != 0) most.push_back(human_size(number(io, key)) + what);
  }
  for (const auto& [key, what] :
       {std::pair{"read_operations", " reads/s"}, std::pair{"write_operations", " writes/s"}}) {
    if (number(io, key) != 0) most.push_back(std::to_string(number(io, key)) + what);
  }
  return "the host's disk: " + (most.empty() ? "no cap" : "at most " + boost::algorithm::join(most, ", ")) +
         "; " + human_size(number(io, "read")) + " read, " + human_size(number(io, "written")) + " written\n";
}

std::string render_network(const json::value& network) {
  const json::value& held = network.at("held_to");
  std::vector<std::string> most;
  for (const auto& [key, way] : {std::pair{"rate_in", " in"}, std::pair{"rate_out", " out"}}) {
    const std::uint64_t bits = number(held, key);
    if (bits != 0) most.push_back(BitRate(bits).str() + "/s" + way);
  }
  const std::uint64_t packets = number(held, "packets");
  if (packets != 0) most.push_back(std::to_string(packets) + " packets/s each way");
  std::string shown = "network: ";
  if (held.at("closed").as_bool()) {
    shown += "closed, as its traffic is used up";
  } else {
    shown += most.empty() ? "no cap" : "at most " + boost::algorithm::join(most, ", ");
  }
  shown += "; this month " + carried(network.at("this_month")) + "; ever " + carried(network.at("ever"));
  return shown + "\n";
}

}  // namespace

std::string render_quota(const json::value& usage) {
  std::vector<Row> rows{limit_row("memory", "memory", usage.at("memory")),
                        limit_row("memory on the host", "memory", usage.at("host_memory")),
                        limit_row("processes on the host", "processes", usage.at("processes")),
                        limit_row("disk", "disk", usage.at("disk"))};
  if (number(usage.at("network"), "limit") != 0) {
    rows.push_back(limit_row("traffic this month", "disk", usage.at("network")));
  }
  if (number(usage.at("swap"), "limit") != 0) rows.push_back(limit_row("swap", "disk", usage.at("swap")));
  std::string shown = table({"LIMIT OF", "LIMIT", "USED", "PEAK", "LEFT"}, rows, {1, 2, 3, 4});
  const json::value& memory = usage.at("memory");
  if (number(memory, "ceiling") > number(memory, "limit")) {
    shown += "memory can be set to " + human_size(number(memory, "ceiling")) + " while it runs\n";
  }
  const json::value& cpu = usage.at("cpu");
  const std::uint64_t percent = number(cpu, "percent");
  shown += "processors: " + std::to_string(number(cpu, "processors")) + ", weight " +
           std::to_string(number(cpu, "weight")) + ", " +
           (percent == 0 ? "no cap" : "at most " + std::to_string(percent) + " % of one") + "; " +
           tenths(number(cpu, "used_ns"), kNsPerSecond) + " s used, held back for " +
           tenths(number(cpu, "held_ns"), kNsPerSecond) + " s\n";
  shown += render_disk_io(usage.at("disk_io")) + render_network(usage.at("network"));
  const std::uint64_t kills = number(usage.at("host_memory"), "kills");
  if (kills != 0) {
    shown += "the host has killed " + std::to_string(kills) + " of its processes for want of memory\n";
  }
  return shown;
}

std::string render_top(const json::value& before, const json::value& now) {
  std::map<std::string, const json::value*> earlier;
  for (const json::value& guest : before.at("guests").as_array()) earlier[name_of(guest)] = &guest;
  // Tenths of a percent of one processor, and the guest's row.
  std::vector<std::pair<std::uint64_t, Row>> busiest;
  for (const json::value& guest : now.at("guests").as_array()) {
    if (number(guest.at("processes"), "used") == 0) continue;
    const auto then = earlier.find(name_of(guest));
    std::uint64_t share = 0;
    std::string in = "-";
    std::string out = "-";
    if (then != earlier.end()) {
      const json::value& was = *then->second;
      const std::uint64_t ms = number(guest, "time_ms") - number(was, "time_ms");
      if (ms != 0) share = gained(was.at("cpu"), guest.at("cpu"), "used_ns") / ms / 1000;
      const auto rate = [&](const char* way) {
        return human_size(
            ms == 0 ? 0
                    : gained(was.at("network").at("ever"), guest.at("network").at("ever"), way) * 1000 / ms);
      };
      in = rate("in");
      out = rate("out");
    }
    const auto of = [&](const char* key, std::string_view kind) {
      return amount(kind, number(guest.at(key), "used")) + " of " +
             amount(kind, number(guest.at(key), "limit"));
    };
    busiest.emplace_back(
        share, Row{name_of(guest), tenths(share, 10), of("memory", "memory"), of("host_memory", "memory"),
                   of("processes", "processes"), of("disk", "disk"), in, out});
  }
  std::stable_sort(busiest.begin(), busiest.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<Row> rows;
  rows.reserve(busiest.size());
  for (auto& [share, row] : busiest) rows.push_back(std::move(row));
  return table({"NAME", "CPU %", "MEMORY", "ON THE HOST", "PROCESSES", "DISK", "IN/S", "OUT/S"}, rows,
               {1, 2, 3, 4, 5, 6, 7});
}

}  // namespace umlfarm::cli
