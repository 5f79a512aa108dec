#include <boost/json.hpp>
#include <iostream>

#include "provisioner/base/clock.h"
#include "provisioner/cli/arguments.h"
#include "provisioner/cli/commands/commands.h"
#include "provisioner/cli/render.h"

namespace umlfarm::cli {

namespace options = boost::program_options;

Command list_command() {
  options::options_description known("Options");
  known.add_options()("names", options::bool_switch(), "names alone, one a line, for scripts");
  return {"list",
          "[--names]",
          "show all guests",
          "Shows all guests, one a line.\n\n  umlfarm list\n",
          [known](Context& context, const auto& arguments) -> Result<int> {
            const Parsed parsed = parse(arguments, known, 0, 0);
            UMLFARM_ASSIGN(const boost::json::value document, context.client.get("/v1/guests"));
            if (!parsed.flag("names")) {
              print(context, document, render_guests(document, wall_clock_ms()));
              return 0;
            }
            for (const auto& guest : document.at("guests").as_array()) {
              std::cout << std::string_view(guest.at("name").as_string()) << "\n";
            }
            return 0;
          },
          known};
}

}  // namespace umlfarm::cli
