// Limits, and what is promised and used of them.
#include <boost/json.hpp>

#include "provisioner/base/byte_size.h"
#include "provisioner/base/printable.h"
#include "provisioner/base/table.h"
#include "provisioner/cli/render.h"

namespace umlfarm::cli {

namespace json = boost::json;

namespace {

constexpr const char* kResources[] = {"guests", "memory", "disk", "processors"};

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
  std::string each;
  for (const char* const resource : kResources) {
    const json::value& most = tenant.at("each_user").at(resource);
    if (most.is_null()) continue;
    each += std::string(each.empty() ? "" : ", ") + resource + " " +
            amount(resource, most.to_number<std::uint64_t>());
  }
  if (!each.empty()) shown += "each user has at most: " + each + "\n";
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
    std::string list;
    for (const json::value& cell : cells) {
      list += (list.empty() ? "" : ", ") + human_size(cell.to_number<std::uint64_t>());
    }
    shown += "NUMA cells: " + list + "\n";
  }
  shown += "counted by " + printable(json::value_to<std::string>(document.at("source"))) +
           "; virtual machines of others here: " + std::to_string(number(document, "domains")) + "\n";
  return shown;
}

}  // namespace umlfarm::cli
