#include <csignal>
#include <cstdlib>
#include <iostream>

#include "provisioner/base/result.h"
#include "provisioner/cli/command.h"
#include "provisioner/cli/help.h"
#include "provisioner/cli/terminal_text.h"

namespace umlfarm::cli {
namespace {

constexpr int kWrongUse = 2;
constexpr const char* kDefaultSocket = "/run/umlfarm/umlfarmd.sock";

Globals defaults() {
  const char* const named = std::getenv("UMLFARM_SOCKET");
  return {named == nullptr ? kDefaultSocket : named, false};
}

int wrong_use(const std::string& what, const std::string& see) {
  std::cerr << "umlfarm: " << what << "; see 'umlfarm " << see << "'\n";
  return kWrongUse;
}

// Takes the options of all verbs out of the arguments: those before the verb, and those of a verb that has no
// other program's behind it. False where --socket has no value.
bool take_globals(std::vector<std::string>& arguments, std::size_t until, Globals& globals) {
  for (std::size_t i = 0; i < std::min(until, arguments.size());) {
    const auto at = arguments.begin() + static_cast<std::ptrdiff_t>(i);
    if (arguments[i] == "--json") {
      globals.json = true;
      arguments.erase(at);
    } else if (arguments[i].starts_with("--socket=")) {
      globals.socket = arguments[i].substr(std::string_view("--socket=").size());
      arguments.erase(at);
    } else if (arguments[i] == "--socket") {
      if (i + 1 >= arguments.size()) return false;
      globals.socket = arguments[i + 1];
      arguments.erase(at, at + 2);
    } else {
      ++i;
    }
  }
  return true;
}

int say_help(const std::vector<std::string>& about) {
  if (about.empty()) {
    std::cout << general_help();
    return 0;
  }
  if (const Command* const command = find_command(about)) {
    std::cout << help_of(*command);
    return 0;
  }
  // "help image": all verbs that begin so.
  bool found = false;
  for (const Command& command : commands()) {
    if (!command.name.starts_with(about[0] + " ")) continue;
    std::cout << (found ? "\n" : "") << help_of(command);
    found = true;
  }
  return found ? 0 : wrong_use("no verb '" + about[0] + "'", "help");
}

int unknown(const std::vector<std::string>& arguments) {
  const std::string typed = arguments.size() > 1 ? arguments[0] + " " + arguments[1] : arguments[0];
  std::string nearest = nearest_command(typed);
  if (nearest.empty()) nearest = nearest_command(arguments[0]);
  return wrong_use("no verb '" + (nearest.find(' ') == std::string::npos ? arguments[0] : typed) + "'" +
                       (nearest.empty() ? "" : "; did you mean '" + nearest + "'?"),
                   "help");
}

int run_command(const Command& command, const std::vector<std::string>& arguments, const Globals& globals) {
  Context context{globals, api::Client(globals.socket)};
  try {
    const Result<int> code = command.run(context, arguments);
    std::cout << std::flush;
    if (code) return *code;
    std::cerr << "umlfarm: " << for_descriptor(2, code.error().message()) << "\n";
    return exit_code(code.error().kind());
  } catch (const boost::program_options::error& fault) {
    return wrong_use(command.name + ": " + fault.what(), "help " + command.name);
  } catch (const boost::system::system_error& fault) {
    // Of JSON: a field that is missing, or is of another type.
    std::cerr << "umlfarm: the daemon's answer is not as umlfarm " UMLFARM_VERSION " knows it ("
              << fault.code().message() << "); if umlfarmd is of another version, restart it\n";
    return exit_code(Kind::Internal);
  }
}

int run_main(std::vector<std::string> arguments) {
  Globals globals = defaults();
  std::size_t verb = 0;
  while (verb < arguments.size() && arguments[verb].starts_with("--")) {
    verb += arguments[verb] == "--socket" ? 2 : 1;
  }
  if (!take_globals(arguments, verb, globals)) return wrong_use("--socket: its value is missing", "help");
  if (arguments.empty()) {
    std::cerr << general_help();
    return kWrongUse;
  }
  const std::string first = arguments[0];
  if (first == "--help" || first == "-h" || first == "help") {
    return say_help({arguments.begin() + 1, arguments.end()});
  }
  if (first == "--version" || first == "version") {
    std::cout << "umlfarm " UMLFARM_VERSION "\n";
    return 0;
  }
  const Command* const command = find_command(arguments);
  if (command == nullptr) return unknown(arguments);
  const std::ptrdiff_t words = command->name.find(' ') == std::string::npos ? 1 : 2;
  arguments.erase(arguments.begin(), arguments.begin() + words);
  // What follows these belongs to another program or to a kernel.
  const bool passes_on = first == "ssh" || first == "mconsole";
  if (!passes_on && !take_globals(arguments, arguments.size(), globals)) {
    return wrong_use("--socket: its value is missing", "help");
  }
  if (!arguments.empty() && (arguments[0] == "--help" || arguments[0] == "-h")) {
    std::cout << help_of(*command);
    return 0;
  }
  return run_command(*command, arguments, globals);
}

}  // namespace
}  // namespace umlfarm::cli

int main(int argc, char** argv) {
  (void)::signal(SIGPIPE, SIG_DFL);
  try {
    return umlfarm::cli::run_main({argv + 1, argv + argc});
  } catch (const std::exception& fault) {
    std::cerr << "umlfarm: " << fault.what() << "\n";
    return 1;
  }
}
