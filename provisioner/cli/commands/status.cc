#include <boost/json.hpp>

#include "provisioner/cli/arguments.h"
#include "provisioner/cli/commands/commands.h"
#include "provisioner/cli/render.h"

namespace umlfarm::cli {

Command status_command() {
  return {
      "status",
      "",
      "show whether the farm is well, and what it has promised",
      "Says whether the farm is well, and where it is not, what to do first; then how many guests are in\n"
      "which state, and how much of the host's memory and disk is promised.\n\n"
      "  umlfarm status\n",
      [](Context& context, const auto& arguments) -> Result<int> {
        parse(arguments, {}, 0, 0);
        UMLFARM_ASSIGN(const boost::json::value document, context.client.get("/v1/status"));
        print(context, document, render_status(document));
        return 0;
      },
      {}};
}

Command plan_list_command() {
  return {"plan list",
          "",
          "show the plans and what each gives a guest",
          "Shows the plans of umlfarm.toml, or the five that there are without.\n\n  umlfarm plan list\n",
          [](Context& context, const auto& arguments) -> Result<int> {
            parse(arguments, {}, 0, 0);
            UMLFARM_ASSIGN(const boost::json::value document, context.client.get("/v1/plans"));
            print(context, document, render_plans(document));
            return 0;
          },
          {}};
}

Command plan_show_command() {
  return {"plan show",
          "PLAN",
          "show all that a plan limits",
          "Shows each limit that a guest of the plan has.\n\n  umlfarm plan show small\n",
          [](Context& context, const auto& arguments) -> Result<int> {
            const Parsed parsed = parse(arguments, {}, 1, 1);
            const std::string name = name_argument("plan", parsed.words[0]);
            UMLFARM_ASSIGN(const boost::json::value document, context.client.get("/v1/plans"));
            for (const boost::json::value& plan : document.at("plans").as_array()) {
              if (boost::json::value_to<std::string>(plan.at("name")) != name) continue;
              print(context, plan, render_plan(plan));
              return 0;
            }
            return Error(Kind::NotFound, "there is no plan '" + name + "'; 'umlfarm plan list' shows them");
          },
          {}};
}

}  // namespace umlfarm::cli
