#include "provisioner/cli/render.h"

#include <boost/algorithm/string/join.hpp>
#include <boost/json.hpp>
#include <cstdio>

#include "provisioner/base/byte_size.h"
#include "provisioner/base/clock.h"
#include "provisioner/base/printable.h"
#include "provisioner/base/table.h"

namespace umlfarm::cli {

namespace json = boost::json;

namespace {

std::string text(const json::value& object, const char* key) {
  return printable(json::value_to<std::string>(object.at(key)));
}

std::int64_t number(const json::value& object, const char* key) {
  return object.at(key).to_number<std::int64_t>();
}

std::string size(const json::value& object, const char* key) {
  return human_size(static_cast<std::uint64_t>(number(object, key)));
}

std::string list(const json::value& object, const char* key) {
  std::vector<std::string> words;
  for (const json::value& item : object.at(key).as_array()) {
    words.push_back(std::to_string(item.to_number<std::int64_t>()));
  }
  return boost::algorithm::join(words, ", ");
}

std::string since(std::int64_t then_ms, std::int64_t now_ms) {
  return then_ms == 0 || then_ms > now_ms ? "-" : format_duration(now_ms - then_ms);
}

std::string count_of(const json::value& resource) {
  return std::to_string(number(resource, "promised")) + " of " + std::to_string(number(resource, "capacity"));
}

std::string used_of(const json::value& guest, const char* used, const char* whole) {
  return size(guest, used) + " of " + size(guest, whole);
}

}  // namespace

std::string render_guests(const json::value& document, std::int64_t now_ms) {
  std::vector<Row> rows;
  for (const json::value& guest : document.at("guests").as_array()) {
    rows.push_back({text(guest, "name"), text(guest, "state"), text(guest, "plan"), text(guest, "image"),
                    size(guest, "memory"), size(guest, "disk_allocated"), text(guest, "address4"),
                    since(number(guest, "started_ms"), now_ms)});
  }
  if (rows.empty()) return "no guests yet; make one with 'umlfarm create NAME'\n";
  return table({"NAME", "STATE", "PLAN", "IMAGE", "MEMORY", "ON DISK", "ADDRESS", "UP"}, rows, {4, 5});
}

std::string render_guest(const json::value& guest, std::int64_t now_ms) {
  const std::int64_t started = number(guest, "started_ms");
  const std::int64_t ready = number(guest, "ready_ms");
  return fields({{"name", text(guest, "name")},
                 {"id", text(guest, "id")},
                 {"state", text(guest, "state")},
                 {"reason", text(guest, "reason")},
                 {"tenant", text(guest, "tenant")},
                 {"user", text(guest, "user")},
                 {"plan", text(guest, "plan")},
                 {"image", text(guest, "image") + " (" + text(guest, "image_digest").substr(0, 12) + ")"},
                 {"kernel", text(guest, "kernel") + " (" + text(guest, "kernel_digest").substr(0, 12) +
                                "), " + text(guest, "userspace")},
                 {"memory", used_of(guest, "memory_allocated", "memory")},
                 {"disk", used_of(guest, "disk_allocated", "disk")},
                 {"swap", number(guest, "swap") == 0 ? "" : size(guest, "swap")},
                 {"address", text(guest, "address4")},
                 {"address (IPv6)", text(guest, "address6")},
                 {"mac", text(guest, "mac")},
                 {"processors", list(guest, "processors")},
                 {"created", format_time(number(guest, "created_ms"))},
                 {"up", started == 0 ? "" : since(started, now_ms)},
                 {"ready after", ready == 0 ? "" : std::to_string(ready - started) + " ms"},
                 {"restarts", std::to_string(number(guest, "restarts"))},
                 {"host key", text(guest, "host_key")}});
}

std::string render_images(const json::value& document, std::int64_t now_ms) {
  std::vector<Row> rows;
  for (const json::value& entry : document.at("images").as_array()) {
    rows.push_back({text(entry, "name"), text(entry, "digest").substr(0, 12), text(entry, "version"),
                    size(entry, "size"), std::to_string(number(entry, "guests")),
                    since(number(entry, "added_ms"), now_ms)});
  }
  if (rows.empty()) return "no images yet\n";
  return table({"NAME", "DIGEST", "VERSION", "SIZE", "GUESTS", "AGE"}, rows, {3, 4});
}

std::string render_kernels(const json::value& document, std::int64_t now_ms) {
  std::vector<Row> rows;
  for (const json::value& kernel : document.at("kernels").as_array()) {
    const json::value& features = kernel.at("features");
    const auto yes = [&](const char* key) { return features.at(key).as_bool() ? "yes" : "no"; };
    rows.push_back({text(kernel, "name"), text(kernel, "digest").substr(0, 12), text(kernel, "version"),
                    text(features, "userspace"), std::to_string(number(features, "processors")),
                    yes("durable_disks"), yes("tap_offload"), yes("growing_disks"),
                    std::to_string(number(kernel, "guests")), since(number(kernel, "added_ms"), now_ms)});
  }
  if (rows.empty()) return "no kernels yet\n";
  return table(
      {"NAME", "DIGEST", "VERSION", "USERSPACE", "CPUS", "DURABLE", "OFFLOAD", "GROWS", "GUESTS", "AGE"},
      rows, {4, 8});
}

std::string render_plans(const json::value& document) {
  std::vector<Row> rows;
  for (const json::value& plan : document.at("plans").as_array()) {
    rows.push_back({text(plan, "name"), size(plan, "memory"), size(plan, "disk"), size(plan, "swap"),
                    std::to_string(number(plan, "processes")), std::to_string(number(plan, "processors")),
                    text(plan, "kernel"), text(plan, "summary")});
  }
  return table({"PLAN", "MEMORY", "DISK", "SWAP", "PROCESSES", "CPUS", "KERNEL", ""}, rows, {1, 2, 3, 4, 5});
}

std::string render_plan(const json::value& plan) {
  std::vector<std::pair<std::string, std::string>> rows{
      {"plan", text(plan, "name")}, {"summary", text(plan, "summary")}, {"kernel", text(plan, "kernel")}};
  for (const auto& [label, shown] : plan.at("texts").as_object()) {
    rows.emplace_back(printable(std::string(label)), printable(json::value_to<std::string>(shown)));
  }
  return fields(rows);
}

std::string render_status(const json::value& document) {
  std::vector<std::string> guests;
  for (const auto& [state, count] : document.at("guests").as_object()) {
    guests.push_back(std::to_string(count.to_number<std::int64_t>()) + " " + std::string(state));
  }
  const json::array& problems = document.at("problems").as_array();
  std::string shown;
  for (const json::value& problem : problems) {
    shown += (shown.empty() ? "the farm is not well; first: " : "and: ") + text(problem, "what") + "\n    " +
             text(problem, "remedy") + "\n";
  }
  if (problems.empty()) shown = "the farm is well\n";
  shown += fields({{"version", text(document, "version")},
                   {"guests", guests.empty() ? "none" : boost::algorithm::join(guests, ", ")},
                   {"memory promised", used_of(document.at("memory"), "promised", "capacity")},
                   {"disk promised", used_of(document.at("disk"), "promised", "capacity")},
                   {"processors promised", count_of(document.at("processors"))}});
  for (const json::value& notice : document.at("notices").as_array()) {
    shown += "notice: " + printable(json::value_to<std::string>(notice)) + "\n";
  }
  return shown;
}

std::string render_event(const json::value& event) {
  const std::string guest = text(event, "guest");
  return format_time(number(event, "time_ms")) + "  " + (guest.empty() ? "-" : guest) + "  " +
         text(event, "kind") + "  " + text(event, "message") +
         (text(event, "asked_by").empty()
              ? ""
              : "  [" + text(event, "asked_by") + " " + text(event, "request") + "]") +
         "\n";
}

}  // namespace umlfarm::cli
