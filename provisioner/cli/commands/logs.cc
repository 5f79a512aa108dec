#include "provisioner/base/posix.h"
#include "provisioner/cli/arguments.h"
#include "provisioner/cli/commands/commands.h"

namespace umlfarm::cli {

namespace options = boost::program_options;

Command logs_command() {
  options::options_description known("Options");
  known.add_options()("follow,f", options::bool_switch(), "go on as it grows");
  return {"logs",
          "NAME [--follow]",
          "show what a guest wrote to its console",
          "Shows the console log: the last mebibyte at most, from before its last start, too.\n\n"
          "  umlfarm logs alice --follow\n",
          [known](Context& context, const auto& arguments) -> Result<int> {
            const Parsed parsed = parse(arguments, known, 1, 1);
            const std::string name = name_argument("guest name", parsed.words[0]);
            UMLFARM_TRY(context.client.stream(
                "/v1/guests/" + name + "/log" + (parsed.flag("follow") ? "?follow=1" : ""),
                [](std::string_view text) { (void)posix::write_all(1, text); }));
            return 0;
          },
          known};
}

}  // namespace umlfarm::cli
