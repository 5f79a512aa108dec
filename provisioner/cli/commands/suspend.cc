// suspend and unsuspend: guests of those who have not paid, or have to be kept from doing what they do.
#include <boost/json.hpp>

#include "provisioner/cli/arguments.h"
#include "provisioner/cli/commands/commands.h"
#include "provisioner/cli/wait.h"

namespace umlfarm::cli {

namespace json = boost::json;
namespace options = boost::program_options;

namespace {

constexpr std::int64_t kMostWait = 120'000;

// Those that are named, or all of a tenant's.
Result<std::vector<std::string>> guests_meant(const Context& context, const Parsed& parsed) {
  if (parsed.has("tenant") == !parsed.words.empty()) wrong_use("name guests, or a tenant by --tenant");
  for (const std::string& name : parsed.words) name_argument("guest name", name);
  if (!parsed.words.empty()) return parsed.words;
  const std::string tenant = name_argument("tenant", parsed.text("tenant"));
  UMLFARM_ASSIGN(const json::value known, context.client.get("/v1/tenants/" + tenant));
  UMLFARM_ASSIGN(const json::value document, context.client.get("/v1/guests"));
  std::vector<std::string> names;
  for (const json::value& guest : document.at("guests").as_array()) {
    if (guest.at("tenant") == known.at("name"))
      names.push_back(json::value_to<std::string>(guest.at("name")));
  }
  return names;
}

struct Answers {
  json::array guests;
  std::vector<std::string> taken;  // names
  Status refused;                  // the first that was
};

// All of them, also where one refuses.
Answers ask_all(const Context& context, const std::vector<std::string>& names, const char* verb,
                const json::object& body) {
  Answers answers;
  for (const std::string& name : names) {
    auto answer = context.client.post("/v1/guests/" + name + "/" + verb, body);
    if (answer) {
      answers.guests.push_back(*std::move(answer));
      answers.taken.push_back(name);
    } else if (answers.refused) {
      answers.refused = answer.error();
    }
  }
  return answers;
}

std::string said(const std::vector<std::string>& names, const std::string& what) {
  std::string text;
  for (const std::string& name : names) text += name + ": " + what + "\n";
  return text.empty() ? "there is none\n" : text;
}

options::options_description of_tenant() {
  options::options_description known("Options");
  known.add_options()("tenant", options::value<std::string>()->value_name("NAME"), "all guests of a tenant");
  return known;
}

}  // namespace

Command suspend_command() {
  options::options_description known = of_tenant();
  known.add_options()("reason", options::value<std::string>()->value_name("TEXT")->required(),
                      "why; it is shown with the guest")("no-wait", options::bool_switch(),
                                                         "return as soon as the farm has taken it on");
  return {"suspend",
          "NAME... | --tenant NAME --reason TEXT [--no-wait]",
          "shut guests down and keep them from starting",
          "Stops guests as 'umlfarm stop' does, and lets nothing start them until they are unsuspended.\n"
          "What they were before, running or stopped, is kept.\n\n"
          "  umlfarm suspend --tenant physics --reason 'October is not paid'\n",
          [known](Context& context, const auto& arguments) -> Result<int> {
            const Parsed parsed = parse(arguments, known, 0, 1000);
            UMLFARM_ASSIGN(const std::vector<std::string> names, guests_meant(context, parsed));
            const Answers answers = ask_all(context, names, "suspend", {{"reason", parsed.text("reason")}});
            const bool wait = !parsed.flag("no-wait") && !answers.taken.empty();
            if (wait) UMLFARM_TRY(wait_for(context.client, answers.taken, Goal::Stopped, kMostWait, 0));
            print(context, json::object{{"guests", answers.guests}}, said(answers.taken, "suspended"));
            UMLFARM_TRY(answers.refused);
            return 0;
          },
          known};
}

Command unsuspend_command() {
  const options::options_description known = of_tenant();
  return {
      "unsuspend",
      "NAME... | --tenant NAME",
      "let guests be what they were before they were suspended",
      "Those that ran are started; it is not waited for that.\n\n  umlfarm unsuspend alice\n",
      [known](Context& context, const auto& arguments) -> Result<int> {
        const Parsed parsed = parse(arguments, known, 0, 1000);
        UMLFARM_ASSIGN(const std::vector<std::string> names, guests_meant(context, parsed));
        const Answers answers = ask_all(context, names, "unsuspend", {});
        print(context, json::object{{"guests", answers.guests}}, said(answers.taken, "no longer suspended"));
        UMLFARM_TRY(answers.refused);
        return 0;
      },
      known};
}

}  // namespace umlfarm::cli
