#include "provisioner/cli/arguments.h"
#include "provisioner/cli/commands/commands.h"
#include "provisioner/cli/render.h"

namespace umlfarm::cli {

Command host_show_command() {
  return {
      "host show",
      "",
      "show what the host has for guests, as a sum",
      "Shows what there is, what is kept back, how many percent of the rest may be promised, and what is\n"
      "promised. Reserve and percentages are in umlfarm.toml, under [capacity].\n\n  umlfarm host show\n",
      [](Context& context, const auto& arguments) -> Result<int> {
        parse(arguments, {}, 0, 0);
        UMLFARM_ASSIGN(const boost::json::value document, context.client.get("/v1/host"));
        print(context, document, render_host(document));
        return 0;
      },
      {}};
}

}  // namespace umlfarm::cli
