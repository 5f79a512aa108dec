#include <boost/json.hpp>
#include <filesystem>

#include "provisioner/base/run_program.h"
#include "provisioner/cli/arguments.h"
#include "provisioner/cli/commands/commands.h"
#include "provisioner/cli/ssh_arguments.h"
#include "provisioner/cli/user_keys.h"

namespace umlfarm::cli {

namespace json = boost::json;
namespace options = boost::program_options;

namespace {

Result<int> run(Context& context, const std::vector<std::string>& arguments,
                const options::options_description& known) {
  const Parsed parsed = parse_leading(arguments, known, 1);
  const std::string name = name_argument("guest name", parsed.words[0]);
  UMLFARM_ASSIGN(const json::value guest, context.client.get("/v1/guests/" + name));
  const std::string_view state = guest.at("state").as_string();
  if (state == "stopped" || state == "failed" || state == "deleting") {
    return Error(Kind::Unavailable, "guest '" + name + "' is " + std::string(state) +
                                        "; start it with 'umlfarm start " + name + "'");
  }
  SshTarget target;
  std::error_code error;
  target.self = std::filesystem::read_symlink("/proc/self/exe", error).string();
  target.socket = context.globals.socket;
  target.guest = name;
  target.id = json::value_to<std::string>(guest.at("id"));
  target.user = parsed.text("user");
  target.identities = parsed.has("identity") ? std::vector{parsed.text("identity")} : identities();
  target.host_key = json::value_to<std::string>(guest.at("host_key"));
  return become_program(ssh_arguments(target, {parsed.words.begin() + 1, parsed.words.end()}));
}

}  // namespace

Command ssh_command() {
  options::options_description known("Options");
  known.add_options()("user,l", options::value<std::string>()->value_name("USER")->default_value("root"),
                      "whom to log in as")("identity,i", options::value<std::string>()->value_name("FILE"),
                                           "private key (default: your own)");
  return {"ssh",
          "[OPTIONS] NAME [-- COMMAND...]",
          "log in to a guest, or run a command in it",
          "Calls ssh(1) through the daemon, so that neither an address nor a route is needed, and trusts no\n"
          "other host key than the one that the farm gave the guest.\n\n"
          "  umlfarm ssh alice\n  umlfarm ssh alice -- uname -a\n",
          [known](Context& context, const auto& arguments) { return run(context, arguments, known); },
          known};
}

}  // namespace umlfarm::cli
