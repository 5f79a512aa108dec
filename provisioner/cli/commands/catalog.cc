// image and kernel: list, add, verify, remove.
#include <boost/json.hpp>
#include <filesystem>

#include "provisioner/base/clock.h"
#include "provisioner/cli/arguments.h"
#include "provisioner/cli/commands/commands.h"
#include "provisioner/cli/render.h"

namespace umlfarm::cli {

namespace json = boost::json;
namespace options = boost::program_options;

namespace {

std::string target(const std::string& which) { return "/v1/" + which + "s"; }

// A name, or a digest.
std::string entry_argument(const std::string& which, const std::string& asked) {
  const bool digest = asked.size() >= 8 && asked.find_first_not_of("0123456789abcdef") == std::string::npos;
  return digest ? asked : name_argument((which + " name").c_str(), asked);
}

std::string added(const json::value& entry) {
  return json::value_to<std::string>(entry.at("name")) + ": added as " +
         json::value_to<std::string>(entry.at("digest")).substr(0, 12) + "\n";
}

Command list(const std::string& which) {
  return {which + " list",
          "",
          "show the " + which + "s that guests can be made with",
          "Shows all " + which + "s, the newest first; a name means the newest of its name.\n\n  umlfarm " +
              which + " list\n",
          [which](Context& context, const auto& arguments) -> Result<int> {
            parse(arguments, {}, 0, 0);
            UMLFARM_ASSIGN(const json::value document, context.client.get(target(which)));
            print(context, document,
                  which == "image" ? render_images(document, wall_clock_ms())
                                   : render_kernels(document, wall_clock_ms()));
            return 0;
          },
          {}};
}

Command add(const std::string& which, const std::string& from, const std::string& help) {
  options::options_description known("Options");
  known.add_options()("name", options::value<std::string>()->value_name("NAME"), "in place of its own");
  return {
      which + " add",
      from + " [--name NAME]",
      "take a" + std::string(which == "image" ? "n image" : " kernel") + " into the farm",
      help,
      [which, known](Context& context, const auto& arguments) -> Result<int> {
        const Parsed parsed = parse(arguments, known, 1, 1);
        json::object body{{"path", std::filesystem::absolute(parsed.words[0]).lexically_normal().string()}};
        if (parsed.has("name")) body["name"] = parsed.text("name");
        UMLFARM_ASSIGN(const json::value entry, context.client.post(target(which), body));
        print(context, entry, added(entry));
        return 0;
      },
      known};
}

Command remove(const std::string& which) {
  return {which + " remove",
          "NAME|DIGEST",
          "remove a" + std::string(which == "image" ? "n image" : " kernel") + " that no guest uses",
          "Removes it from the farm; refused while a guest uses it.\n\n  umlfarm " + which + " remove old\n",
          [which](Context& context, const auto& arguments) -> Result<int> {
            const Parsed parsed = parse(arguments, {}, 1, 1);
            const std::string asked = entry_argument(which, parsed.words[0]);
            UMLFARM_ASSIGN(const json::value entry, context.client.remove(target(which) + "/" + asked));
            print(context, entry, asked + ": removed\n");
            return 0;
          },
          {}};
}

}  // namespace

Command image_list_command() { return list("image"); }
Command kernel_list_command() { return list("kernel"); }

Command image_add_command() {
  return add(
      "image", "DIRECTORY",
      "Takes in a directory with root.img, an ext4 disk, and manifest.json, as guest/image/build makes\n"
      "them.\n\n  umlfarm image add out/images/tiny-0123456789abcdef\n");
}

Command kernel_add_command() {
  return add("kernel", "FILE|DIRECTORY",
             "Takes in a UML kernel: what guest/kernel/build made, or a program alone, such as Debian's.\n\n"
             "  umlfarm kernel add /usr/bin/linux.uml --name stock\n");
}

Command image_verify_command() {
  return {"image verify",
          "NAME|DIGEST",
          "read an image and compare it with its digest",
          "Says whether the image is still, to the last byte, what was taken in.\n\n"
          "  umlfarm image verify debian-12\n",
          [](Context& context, const auto& arguments) -> Result<int> {
            const Parsed parsed = parse(arguments, {}, 1, 1);
            const std::string asked = entry_argument("image", parsed.words[0]);
            UMLFARM_ASSIGN(const json::value entry,
                           context.client.post("/v1/images/" + asked + "/verify", json::object()));
            print(context, entry, asked + ": as it was taken in\n");
            return 0;
          },
          {}};
}

Command image_remove_command() { return remove("image"); }
Command kernel_remove_command() { return remove("kernel"); }

}  // namespace umlfarm::cli
