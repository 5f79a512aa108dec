#include "provisioner/cli/help.h"

#include <algorithm>
#include <sstream>

namespace umlfarm::cli {

std::string general_help() {
  std::string text =
      "usage: umlfarm [--socket PATH] [--json] VERB ...\n\n"
      "A farm of User Mode Linux servers: a kernel, a root account, a disk and an address for each user.\n\n"
      "  umlfarm create alice --plan small      make a server\n"
      "  umlfarm ssh alice                      log in to it\n\nVerbs:\n";
  std::size_t width = 0;
  for (const Command& command : commands()) width = std::max(width, command.name.size());
  for (const Command& command : commands()) {
    text += "  " + command.name + std::string(width - command.name.size() + 2, ' ') + command.summary + "\n";
  }
  text += "  help" + std::string(width - 2, ' ') + "say more about a verb: umlfarm help create\n";
  text += "  version" + std::string(width - 5, ' ') + "say which version this is\n";
  text +=
      "\nOptions of all verbs:\n"
      "  --socket PATH  the daemon's socket (default: $UMLFARM_SOCKET, or /run/umlfarm/umlfarmd.sock)\n"
      "  --json         answers for programs, as the API gives them\n"
      "\nExit status: 0 done; 2 wrong use; 3 not found; 4 invalid; 5 conflict; 6 over a quota; 7 denied;\n"
      "8 unavailable; 9 timeout; 10 internal error.\n";
  return text;
}

std::string help_of(const Command& command) {
  std::ostringstream text;
  text << "usage: umlfarm " << command.name << (command.arguments.empty() ? "" : " ") << command.arguments
       << "\n\n"
       << command.help;
  if (!command.options.options().empty()) text << "\n" << command.options;
  return text.str();
}

}  // namespace umlfarm::cli
