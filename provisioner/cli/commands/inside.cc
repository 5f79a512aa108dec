#include <boost/json.hpp>
#include <cstdio>

#include "provisioner/base/byte_size.h"
#include "provisioner/base/clock.h"
#include "provisioner/base/table.h"
#include "provisioner/cli/arguments.h"
#include "provisioner/cli/commands/commands.h"

namespace umlfarm::cli {

namespace json = boost::json;

namespace {

std::string render_inside(const json::value& inside) {
  std::string load;
  for (const json::value& each : inside.at("load").as_array()) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", each.to_number<double>());
    load += (load.empty() ? "" : ", ") + std::string(text);
  }
  const auto size = [&](const char* key) { return human_size(inside.at(key).to_number<std::uint64_t>()); };
  const auto up = static_cast<std::int64_t>(inside.at("uptime_seconds").to_number<double>() * 1000);
  return fields({{"load", load + " over 1, 5 and 15 minutes"},
                 {"memory", size("memory_available") + " left of " + size("memory_total")},
                 {"up", format_duration(up)}});
}

}  // namespace

Command inside_command() {
  return {
      "inside",
      "NAME",
      "ask a guest's kernel how it is",
      "Shows load, memory and uptime as the guest's own kernel says them, by its management console. It may\n"
      "say what it likes: 'umlfarm quota' shows what the host counts.\n\n  umlfarm inside alice\n",
      [](Context& context, const auto& arguments) -> Result<int> {
        const Parsed parsed = parse(arguments, {}, 1, 1);
        const std::string name = name_argument("guest name", parsed.words[0]);
        UMLFARM_ASSIGN(const json::value inside, context.client.get("/v1/guests/" + name + "/inside"));
        print(context, inside, render_inside(inside));
        return 0;
      },
      {}};
}

}  // namespace umlfarm::cli
