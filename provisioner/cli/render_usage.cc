#include "provisioner/cli/render_usage.h"

#include <boost/algorithm/string/join.hpp>
#include <boost/json.hpp>
#include <cstdint>
#include <vector>

#include "provisioner/base/byte_size.h"
#include "provisioner/base/clock.h"
#include "provisioner/base/table.h"

namespace umlfarm::cli {

namespace json = boost::json;

namespace {

constexpr std::uint64_t kNsPerMs = 1'000'000;

constexpr const char* kNames[] = {"tenant", "user", "guest", "id", "plan"};
constexpr const char* kFigures[] = {"running_ms",
                                    "stopped_ms",
                                    "suspended_ms",
                                    "cpu_ns",
                                    "memory_promised_byte_hours",
                                    "memory_held_byte_hours",
                                    "disk_promised_byte_hours",
                                    "disk_held_byte_hours",
                                    "bytes_in",
                                    "bytes_out"};

std::uint64_t number(const json::value& of, const char* key) { return of.at(key).to_number<std::uint64_t>(); }
std::string text(const json::value& of, const char* key) { return json::value_to<std::string>(of.at(key)); }

Row figures(const json::value& of) {
  const auto duration = [&](std::uint64_t ms) { return format_duration(static_cast<std::int64_t>(ms)); };
  const auto size = [&](const char* key) { return human_size(number(of, key)); };
  return {duration(number(of, "running_ms")),
          duration(number(of, "cpu_ns") / kNsPerMs),
          size("memory_promised_byte_hours"),
          size("memory_held_byte_hours"),
          size("disk_promised_byte_hours"),
          size("disk_held_byte_hours"),
          size("bytes_in"),
          size("bytes_out")};
}

Row joined(Row names, const Row& figures) {
  names.insert(names.end(), figures.begin(), figures.end());
  return names;
}

}  // namespace

std::string render_uses(const json::value& document, bool by_hour) {
  std::vector<Row> rows;
  for (const json::value& guest : document.at("guests").as_array()) {
    Row names{text(guest, "tenant"), text(guest, "guest"), text(guest, "plan")};
    if (by_hour) names.insert(names.begin(), text(guest, "hour"));
    rows.push_back(joined(std::move(names), figures(guest)));
  }
  for (const auto& tenant : document.at("tenants").as_object()) {
    Row names{std::string(tenant.key()), "all", ""};
    if (by_hour) names.insert(names.begin(), text(document, "month"));
    rows.push_back(joined(std::move(names), figures(tenant.value())));
  }
  Row header{"TENANT", "GUEST", "PLAN", "RAN", "CPU", "MEMORY*H", "HELD*H", "DISK*H", "HELD*H", "IN", "OUT"};
  if (by_hour) header.insert(header.begin(), "HOUR");
  std::vector<std::size_t> right;
  for (std::size_t i = header.size() - 8; i < header.size(); ++i) right.push_back(i);
  return table(header, rows, right);
}

std::string csv_of_uses(const json::value& document, bool by_hour) {
  std::vector<std::string> names(std::begin(kNames), std::end(kNames));
  if (by_hour) names.emplace_back("hour");
  std::vector<std::string> header = names;
  header.insert(header.end(), std::begin(kFigures), std::end(kFigures));
  std::string lines = boost::algorithm::join(header, ",") + "\n";
  // None of the names may hold a comma or a quotation mark.
  for (const json::value& guest : document.at("guests").as_array()) {
    std::vector<std::string> cells;
    cells.reserve(header.size());
    for (const std::string& name : names) cells.push_back(text(guest, name.c_str()));
    for (const char* const figure : kFigures) cells.push_back(std::to_string(number(guest, figure)));
    lines += boost::algorithm::join(cells, ",") + "\n";
  }
  return lines;
}

}  // namespace umlfarm::cli
