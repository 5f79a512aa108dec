#include "provisioner/base/clock.h"
#include "provisioner/cli/arguments.h"
#include "provisioner/cli/commands/commands.h"
#include "provisioner/cli/render.h"

namespace umlfarm::cli {

Command show_command() {
  return {"show",
          "NAME",
          "show all that is known of a guest",
          "Shows one guest: its state, limits and use, addresses and host key.\n\n"
          "  umlfarm show alice\n  umlfarm --json show alice | jq -r .address4\n",
          [](Context& context, const auto& arguments) -> Result<int> {
            const Parsed parsed = parse(arguments, {}, 1, 1);
            const std::string name = name_argument("guest name", parsed.words[0]);
            UMLFARM_ASSIGN(const boost::json::value guest, context.client.get("/v1/guests/" + name));
            print(context, guest, render_guest(guest, wall_clock_ms()));
            return 0;
          },
          {}};
}

}  // namespace umlfarm::cli
