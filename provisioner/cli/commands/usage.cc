#include <boost/json.hpp>
#include <iostream>

#include "provisioner/base/result.h"
#include "provisioner/cli/arguments.h"
#include "provisioner/cli/commands/commands.h"
#include "provisioner/cli/render_usage.h"

namespace umlfarm::cli {

namespace json = boost::json;
namespace options = boost::program_options;

Command usage_command() {
  options::options_description known("Options");
  known.add_options()("tenant", options::value<std::string>()->value_name("NAME"),
                      "of one tenant's guests alone")(
      "guest", options::value<std::string>()->value_name("NAME"), "of one guest alone")(
      "month", options::value<std::string>()->value_name("YYYY-MM"),
      "by UTC; this month where none is named")("hours", options::bool_switch(), "each hour by itself")(
      "format", options::value<std::string>()->value_name("FORMAT")->default_value("table"),
      "table, json or csv");
  return {
      "usage",
      "[--tenant NAME] [--guest NAME] [--month YYYY-MM] [--hours] [--format FORMAT]",
      "show what guests have used in a month, for bills",
      "Shows for each guest, also for those that are gone, how long it ran, its processor time, the memory\n"
      "and disk that it was promised and that the host held for it, times hours, and its traffic; json and\n"
      "csv have each figure whole, and how long it stood still or was suspended. With another plan it has\n"
      "another line. A tenant's sum is that of its guests, to the byte.\n\n"
      "  umlfarm usage --tenant physics --month 2026-11 --format csv\n",
      [known](Context& context, const auto& arguments) -> Result<int> {
        const Parsed parsed = parse(arguments, known, 0, 0);
        const std::string format = context.globals.json ? "json" : parsed.text("format");
        if (format != "table" && format != "json" && format != "csv")
          wrong_use("--format '" + format + "': must be table, json or csv");
        std::string target = std::string("/v1/uses?by=") + (parsed.flag("hours") ? "hour" : "month");
        if (parsed.has("tenant")) target += "&tenant=" + name_argument("tenant", parsed.text("tenant"));
        if (parsed.has("guest")) target += "&guest=" + name_argument("guest name", parsed.text("guest"));
        if (parsed.has("month")) {
          const std::string month = parsed.text("month");
          if (month.find_first_not_of("0123456789-") != std::string::npos)
            wrong_use("--month '" + month + "': must be a year and a month, such as 2026-11");
          target += "&month=" + month;
        }
        UMLFARM_ASSIGN(const json::value document, context.client.get(target));
        if (format == "json") std::cout << json::serialize(document) << "\n";
        if (format == "csv") std::cout << csv_of_uses(document, parsed.flag("hours"));
        if (format == "table") std::cout << render_uses(document, parsed.flag("hours"));
        return 0;
      },
      known};
}

}  // namespace umlfarm::cli
