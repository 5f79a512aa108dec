#include <boost/json.hpp>
#include <cmath>
#include <filesystem>
#include <iostream>

#include "guest/disk/ssh_key.h"
#include "provisioner/base/clock.h"
#include "provisioner/base/posix.h"
#include "provisioner/cli/arguments.h"
#include "provisioner/cli/commands/commands.h"
#include "provisioner/cli/user_keys.h"
#include "provisioner/cli/wait.h"

namespace umlfarm::cli {

namespace json = boost::json;
namespace options = boost::program_options;

namespace {

// Checked here too, where its file has a name.
Result<std::string> key_line(const std::string& file) {
  auto text = posix::read_file(file, 64U << 10U);
  if (!text) return std::move(text).error().context("ssh key");
  auto key = guest::check_ssh_key(text->substr(0, text->find('\n')));
  if (!key) return std::move(key).error().context(file);
  return key;
}

Result<json::array> keys(const std::vector<std::string>& named) {
  std::vector<std::string> files = named;
  if (files.empty()) {
    UMLFARM_ASSIGN(const DefaultKey key, default_public_key());
    if (key.made) std::cerr << "umlfarm: no ssh key named and none found; made " << key.file << "\n";
    files.push_back(key.file);
  }
  json::array lines;
  for (const std::string& file : files) {
    UMLFARM_ASSIGN(const std::string line, key_line(file));
    lines.emplace_back(line);
  }
  return lines;
}

json::array disks(const std::vector<std::string>& named) {
  json::array list;
  for (const std::string& disk : named) {
    const std::size_t colon = disk.rfind(':');
    if (colon == std::string::npos || disk.substr(colon + 1) != "ro") {
      wrong_use("--disk '" + disk + "': must be FILE:ro; an extra disk is read-only");
    }
    const std::string file = std::filesystem::absolute(disk.substr(0, colon)).lexically_normal().string();
    list.push_back({{"file", file}, {"mode", "ro"}});
  }
  return list;
}

Result<json::object> request(const Parsed& parsed) {
  json::object body{{"name", parsed.words[0]}};
  for (const char* key : {"plan", "image", "kernel", "memory", "tenant", "user"}) {
    if (parsed.has(key)) body[key] = parsed.text(key);
  }
  // The API has the word from where limits are set; here it has been a file's.
  if (parsed.has("disk-size")) body["disk"] = parsed.text("disk-size");
  if (parsed.has("root-password-hash")) body["root_password_hash"] = parsed.text("root-password-hash");
  for (const char* key : {"count", "processors"}) {
    if (parsed.has(key)) body[key] = parsed.options[key].as<std::int64_t>();
  }
  if (parsed.has("disk")) body["disks"] = disks(parsed.texts("disk"));
  UMLFARM_ASSIGN(body["ssh_keys"], keys(parsed.texts("ssh-key")));
  return body;
}

void warn_of_userspace(const json::array& guests) {
  if (guests.empty() || guests[0].at("userspace") != "seccomp") return;
  std::cerr << "umlfarm: kernel '" << json::value_to<std::string>(guests[0].at("kernel"))
            << "': any process in the guest can read and write all of the guest's own memory; "
               "it is for those who trust what they run\n";
}

std::string seconds(std::int64_t ms) {
  const std::string tenths = std::to_string((ms + 50) / 100);
  const std::string padded = tenths.size() < 2 ? "0" + tenths : tenths;
  return padded.substr(0, padded.size() - 1) + "." + padded.back() + " s";
}

Result<int> run(Context& context, const std::vector<std::string>& arguments,
                const options::options_description& known) {
  const Parsed parsed = parse(arguments, known, 1, 1);
  const std::int64_t limit = milliseconds("timeout", parsed.text("timeout"));
  UMLFARM_ASSIGN(const json::object body, request(parsed));
  const std::int64_t begun = monotonic_ms();
  UMLFARM_ASSIGN(json::value document, context.client.post("/v1/guests", body));
  std::vector<std::string> names;
  for (const json::value& guest : document.at("guests").as_array()) {
    names.push_back(json::value_to<std::string>(guest.at("name")));
  }
  warn_of_userspace(document.at("guests").as_array());
  const std::string who =
      names.size() == 1 ? names[0]
                        : std::to_string(names.size()) + " guests, " + names.front() + " to " + names.back();
  if (parsed.flag("no-wait")) {
    print(context, document, who + ": asked for; see 'umlfarm list'\n");
    return 0;
  }
  UMLFARM_TRY(wait_for(context.client, names, Goal::Ready, limit));
  if (context.globals.json) {
    UMLFARM_ASSIGN(const json::value all, context.client.get("/v1/guests"));
    json::array ready;
    for (const json::value& guest : all.at("guests").as_array()) {
      const auto name = json::value_to<std::string>(guest.at("name"));
      if (std::find(names.begin(), names.end(), name) != names.end()) ready.push_back(guest);
    }
    document = json::object{{"guests", ready}};
  }
  print(context, document,
        who + ": ready after " + seconds(monotonic_ms() - begun) + "; log in with 'umlfarm ssh " + names[0] +
            "'\n");
  return 0;
}

}  // namespace

Command create_command() {
  options::options_description known("Options");
  const auto text = [] { return options::value<std::string>(); };
  const auto texts = [] { return options::value<std::vector<std::string>>()->composing(); };
  known.add_options()("plan", text()->value_name("PLAN"), "what it may use; see 'umlfarm plan list'")(
      "image", text()->value_name("IMAGE"), "what it starts from; see 'umlfarm image list'")(
      "kernel", text()->value_name("KERNEL"), "guest kernel; see 'umlfarm kernel list'")(
      "tenant", text()->value_name("TENANT"), "whose it is; see 'umlfarm tenant list'")(
      "user", text()->value_name("NAME"), "which of the tenant's users it is for")(
      "memory", text()->value_name("SIZE"), "in place of the plan's, such as 64M or 1G")(
      "disk-size", text()->value_name("SIZE"), "in place of the plan's, such as 20G; no less than the image")(
      "processors", options::value<std::int64_t>()->value_name("N"),
      "in place of the plan's; above 1 wants kernel 'fast'")(
      "count", options::value<std::int64_t>()->value_name("N"), "make NAME-1 to NAME-N")(
      "ssh-key", texts()->value_name("FILE"),
      "public key that may log in as root; again for more (default: your own)")(
      "disk", texts()->value_name("FILE:ro"), "a host file as a read-only disk: /dev/ubdd, /dev/ubde, ...")(
      "root-password-hash", text()->value_name("HASH"), "of crypt(3), as 'openssl passwd -6' prints it")(
      "timeout", text()->value_name("SECONDS")->default_value("120"), "how long to wait until it is ready")(
      "no-wait", options::bool_switch(), "return as soon as the farm has taken it on");
  return {
      "create",
      "NAME [OPTIONS]",
      "make a guest and start it",
      "Makes a guest with a kernel, a disk and an address of its own, and waits until people can log in.\n\n"
      "  umlfarm create alice --plan small --ssh-key ~/.ssh/id_ed25519.pub\n"
      "  umlfarm create lab --count 20 --plan tiny --image tiny\n",
      [known](Context& context, const auto& arguments) { return run(context, arguments, known); },
      known};
}

}  // namespace umlfarm::cli
