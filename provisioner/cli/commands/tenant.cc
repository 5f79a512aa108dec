// tenant create, list, show, set and delete.
#include <boost/json.hpp>
#include <charconv>

#include "provisioner/base/byte_size.h"
#include "provisioner/cli/arguments.h"
#include "provisioner/cli/commands/commands.h"
#include "provisioner/cli/render.h"

namespace umlfarm::cli {

namespace json = boost::json;
namespace options = boost::program_options;

namespace {

options::options_description limit_options() {
  options::options_description known("Options");
  const auto text = [](const char* name) { return options::value<std::string>()->value_name(name); };
  known.add_options()("guests", text("N"), "the most guests; \"none\" takes a limit away, here and below")(
      "memory", text("SIZE"), "the most memory of all its guests together, such as 64G")(
      "disk", text("SIZE"), "the most disk, swap included")(
      "processors", text("N"), "the most processors of guests")("user-guests", text("N"),
                                                                "the most guests of each of its users")(
      "user-memory", text("SIZE"), "the most memory of each user's guests")(
      "user-disk", text("SIZE"), "the most disk of each user's guests")(
      "user-processors", text("N"), "the most processors of each user's guests");
  return known;
}

// "none", a number or a size, as the API takes it.
json::value limit(const std::string& option, const std::string& text) {
  if (text == "none") return nullptr;
  if (option.ends_with("memory") || option.ends_with("disk")) {
    const auto size = ByteSize::parse(text);
    if (!size) wrong_use("--" + option + ": " + size.error().message() + ", or none");
    return size->bytes();
  }
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    wrong_use("--" + option + " '" + text + "': must be a whole number, or none");
  }
  return value;
}

// Of the options that are there.
json::object limits(const Parsed& parsed) {
  json::object body;
  for (const auto& [prefix, key] : {std::pair{"", "limits"}, std::pair{"user-", "each_user"}}) {
    json::object given;
    for (const char* const resource : kResources) {
      const std::string option = std::string(prefix) + resource;
      if (parsed.has(option)) given[resource] = limit(option, parsed.text(option));
    }
    if (!given.empty()) body[key] = given;
  }
  return body;
}

std::string target(const std::string& name) { return "/v1/tenants/" + name; }

// A verb about one tenant that is told what became of it.
Command about_one(const std::string& verb, const std::string& summary, const std::string& help,
                  const std::function<Result<json::value>(Context&, const std::string&, const Parsed&)>& ask,
                  const std::string& done, const options::options_description& known = {}) {
  return {"tenant " + verb,
          known.options().empty() ? "NAME" : "NAME [OPTIONS]",
          summary,
          help,
          [=](Context& context, const auto& arguments) -> Result<int> {
            const Parsed parsed = parse(arguments, known, 1, 1);
            const std::string name = name_argument("tenant", parsed.words[0]);
            UMLFARM_ASSIGN(const json::value tenant, ask(context, name, parsed));
            print(context, tenant, done.empty() ? render_tenant(tenant) : name + ": " + done + "\n");
            return 0;
          },
          known};
}

}  // namespace

Command tenant_list_command() {
  return {"tenant list",
          "",
          "show the tenants, their limits and what they are promised",
          "Shows who has guests, how much of host and limits they are promised.\n\n  umlfarm tenant list\n",
          [](Context& context, const auto& arguments) -> Result<int> {
            parse(arguments, {}, 0, 0);
            UMLFARM_ASSIGN(const json::value document, context.client.get("/v1/tenants"));
            print(context, document, render_tenants(document));
            return 0;
          },
          {}};
}

Command tenant_show_command() {
  return about_one(
      "show", "show a tenant, its limits and its users",
      "Shows what a tenant and each of its users may have and is promised.\n\n  umlfarm tenant show "
      "physics\n",
      [](Context& context, const std::string& name, const Parsed&) {
        return context.client.get(target(name));
      },
      "");
}

Command tenant_create_command() {
  return about_one(
      "create", "make a tenant, with limits over all its guests",
      "Makes a tenant. Its limits hold for all its guests together, stopped ones too; those that begin with\n"
      "--user hold for the guests of each user.\n\n"
      "  umlfarm tenant create physics --guests 50 --memory 32G --user-guests 1\n"
      "  umlfarm create alice --tenant physics --user alice\n",
      [](Context& context, const std::string& name, const Parsed& parsed) {
        json::object body = limits(parsed);
        body["name"] = name;
        return context.client.post("/v1/tenants", body);
      },
      "there", limit_options());
}

Command tenant_set_command() {
  return about_one(
      "set", "change a tenant's limits",
      "Changes the limits that are named. Where a tenant is promised more than a new limit, its guests\n"
      "stay and none is added.\n\n  umlfarm tenant set physics --memory 64G --user-guests none\n",
      [](Context& context, const std::string& name, const Parsed& parsed) -> Result<json::value> {
        const json::object body = limits(parsed);
        if (body.empty()) wrong_use("no limit is named");
        return context.client.post(target(name), body);
      },
      "", limit_options());
}

Command tenant_delete_command() {
  return about_one(
      "delete", "remove a tenant that has no guests",
      "Removes a tenant; refused while it has guests.\n\n  umlfarm tenant delete physics\n",
      [](Context& context, const std::string& name, const Parsed&) {
        return context.client.remove(target(name));
      },
      "deleted");
}

}  // namespace umlfarm::cli
