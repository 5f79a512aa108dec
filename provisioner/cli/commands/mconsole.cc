#include <boost/json.hpp>

#include "provisioner/cli/arguments.h"
#include "provisioner/cli/commands/commands.h"
#include "provisioner/cli/terminal_text.h"

namespace umlfarm::cli {

namespace json = boost::json;

Command mconsole_command() {
  return {"mconsole",
          "NAME COMMAND...",
          "ask a guest's kernel through its management console",
          "Sends one command to the kernel's management console and shows the answer; 'help' lists what the\n"
          "kernel takes.\n\n  umlfarm mconsole alice version\n  umlfarm mconsole alice sysrq t\n",
          [](Context& context, const auto& arguments) -> Result<int> {
            const Parsed parsed = parse_leading(arguments, {}, 2);
            const std::string name = name_argument("guest name", parsed.words[0]);
            std::string command;
            for (std::size_t i = 1; i < parsed.words.size(); ++i) {
              command += (i == 1 ? "" : " ") + parsed.words[i];
            }
            UMLFARM_ASSIGN(const json::value answer, context.client.post("/v1/guests/" + name + "/mconsole",
                                                                         json::object{{"command", command}}));
            std::string reply = json::value_to<std::string>(answer.at("reply"));
            if (!reply.ends_with('\n')) reply += '\n';
            print(context, answer, for_descriptor(1, reply));
            return 0;
          },
          {}};
}

}  // namespace umlfarm::cli
