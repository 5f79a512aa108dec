#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>

#include "provisioner/base/atomic_file.h"
#include "provisioner/base/posix.h"
#include "provisioner/cli/arguments.h"
#include "provisioner/cli/commands/commands.h"
#include "provisioner/cli/run_program.h"
#include "provisioner/cli/ssh_arguments.h"
#include "provisioner/cli/user_keys.h"

namespace umlfarm::cli {

namespace json = boost::json;
namespace options = boost::program_options;

namespace {

// A directory of this user's alone: its files tell ssh whom to trust.
Result<std::string> private_directory() {
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  std::string path = runtime != nullptr && *runtime == '/' ? std::string(runtime) + "/umlfarm"
                                                           : "/tmp/umlfarm-" + std::to_string(::getuid());
  if (::mkdir(path.c_str(), 0700) < 0 && errno != EEXIST) return system_error("mkdir " + path);
  struct stat status {};
  if (::lstat(path.c_str(), &status) < 0) return system_error("look at " + path);
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::getuid() || (status.st_mode & 077) != 0) {
    return Error(Kind::Denied, path + " is not a directory of yours alone; remove it");
  }
  return path;
}

Result<std::string> write_known_hosts(const json::value& guest) {
  UMLFARM_ASSIGN(const std::string directory, private_directory());
  const std::string alias = host_alias(json::value_to<std::string>(guest.at("id")));
  // Two farms on one host have guests of the same number: the key's own end tells their files apart.
  const auto key = json::value_to<std::string>(guest.at("host_key"));
  std::string mark = key.substr(key.size() - std::min<std::size_t>(key.size(), 12));
  for (char& c : mark) {
    if (c == '/' || c == ' ') c = '_';
  }
  const std::string path = directory + "/known_hosts-" + alias + "-" + mark;
  UMLFARM_TRY(write_file_atomically(path, alias + " " + key + "\n", 0600));
  return path;
}

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
  UMLFARM_ASSIGN(target.known_hosts, write_known_hosts(guest));
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
