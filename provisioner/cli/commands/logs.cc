#include <unistd.h>

#include "provisioner/base/posix.h"
#include "provisioner/cli/arguments.h"
#include "provisioner/cli/commands/commands.h"
#include "provisioner/cli/end_unread.h"
#include "provisioner/cli/terminal_text.h"

namespace umlfarm::cli {

namespace options = boost::program_options;

Command logs_command() {
  options::options_description known("Options");
  known.add_options()("follow,f", options::bool_switch(), "go on as it grows");
  return {"logs",
          "NAME [--follow]",
          "show what a guest wrote to its console",
          "Shows the console log: the last mebibyte at most, from before its last start, too.\n"
          "On a terminal without control characters; 'umlfarm logs alice | cat' shows those, too.\n\n"
          "  umlfarm logs alice --follow\n",
          [known](Context& context, const auto& arguments) -> Result<int> {
            const Parsed parsed = parse(arguments, known, 1, 1);
            const std::string name = name_argument("guest name", parsed.words[0]);
            if (parsed.flag("follow")) end_when_unread();
            const bool terminal = ::isatty(1) == 1;
            TerminalText shown;
            UMLFARM_TRY(context.client.stream(
                "/v1/guests/" + name + "/log" + (parsed.flag("follow") ? "?follow=1" : ""),
                [&](std::string_view text) {
                  (void)!posix::write_all(1, terminal ? shown.filter(text) : text);
                }));
            return 0;
          },
          known};
}

}  // namespace umlfarm::cli
