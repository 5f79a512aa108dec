// start, stop, restart and delete: each asks for a state, then waits until it is reached.
#include <boost/json.hpp>
#include <iostream>

#include "provisioner/cli/arguments.h"
#include "provisioner/cli/commands/commands.h"
#include "provisioner/cli/wait.h"

namespace umlfarm::cli {

namespace json = boost::json;
namespace options = boost::program_options;

namespace {

struct Change {
  const char* verb;
  Goal goal;
  const char* done;
};

constexpr std::int64_t kMostWait = 120'000;
constexpr std::int64_t kStopPatience = 30'000;  // the daemon's, where it is asked for none
constexpr std::int64_t kAfterStop = 15'000;     // sync, halt and the last clearing up

options::options_description waiting() {
  options::options_description known("Options");
  known.add_options()("no-wait", options::bool_switch(), "return as soon as the farm has taken it on");
  return known;
}

Result<json::value> ask(Context& context, const Change& change, const std::string& name,
                        const json::object& body) {
  const std::string target = "/v1/guests/" + name;
  if (change.goal == Goal::Gone) return context.client.remove(target);
  return context.client.post(target + "/" + change.verb, body);
}

// When it was last started: a restart is over when that has changed.
Result<std::int64_t> started(Context& context, const std::string& name) {
  UMLFARM_ASSIGN(const json::value guest, context.client.get("/v1/guests/" + name));
  return guest.at("started_ms").to_number<std::int64_t>();
}

Result<int> change_all(Context& context, const Change& change, const Parsed& parsed, const json::object& body,
                       std::int64_t limit) {
  json::array answers;
  const bool again = std::string_view(change.verb) == "restart";
  std::int64_t after = 0;
  // All of them before anything is asked for any.
  for (const std::string& name : parsed.words) name_argument("guest name", name);
  for (const std::string& name : parsed.words) {
    if (again) {
      UMLFARM_ASSIGN(const std::int64_t before, started(context, name));
      after = std::max(after, before);
    }
    UMLFARM_ASSIGN(json::value answer, ask(context, change, name, body));
    answers.push_back(std::move(answer));
  }
  const bool wait = !parsed.flag("no-wait");
  if (wait) UMLFARM_TRY(wait_for(context.client, parsed.words, change.goal, limit, after));
  std::string text;
  for (const std::string& name : parsed.words) {
    text += name + ": " + (wait ? change.done : "asked for; see 'umlfarm show " + name + "'") + "\n";
  }
  print(context, json::object{{"guests", answers}}, text);
  return 0;
}

Command simple(const Change& change, const char* summary, const std::string& help) {
  const options::options_description known = waiting();
  return {change.verb,
          "NAME... [--no-wait]",
          summary,
          help,
          [change, known](Context& context, const auto& arguments) -> Result<int> {
            return change_all(context, change, parse(arguments, known, 1, 1000), {}, kMostWait);
          },
          known};
}

}  // namespace

Command start_command() {
  return simple({"start", Goal::Ready, "ready"}, "start guests that are stopped or failed",
                "Starts guests and waits until they are ready. One that runs already is left alone.\n\n"
                "  umlfarm start alice\n");
}

Command restart_command() {
  return simple({"restart", Goal::Ready, "ready again"}, "stop guests and start them again",
                "Stops guests as 'umlfarm stop' does, starts them, and waits until they are ready.\n\n"
                "  umlfarm restart alice bob\n");
}

Command delete_command() {
  return simple({"delete", Goal::Gone, "deleted"}, "remove guests and their disks, for good",
                "Kills the guests' kernels at once and removes their disks: nothing of them is kept.\n\n"
                "  umlfarm delete alice\n");
}

Command stop_command() {
  options::options_description known = waiting();
  known.add_options()("timeout", options::value<std::string>()->value_name("SECONDS"),
                      "how long its own shutdown may take before it is synced and halted (default: 30)");
  return {
      "stop",
      "NAME... [--timeout SECONDS] [--no-wait]",
      "shut guests down; their disks stay",
      "Asks a guest's init to shut down, as ctrl-alt-del does. One that doesn't in time has its disks\n"
      "synced and is halted.\n\n  umlfarm stop alice\n",
      [known](Context& context, const auto& arguments) -> Result<int> {
        const Parsed parsed = parse(arguments, known, 1, 1000);
        json::object body;
        std::int64_t patience = kStopPatience;
        if (parsed.has("timeout")) {
          patience = milliseconds("timeout", parsed.text("timeout"));
          body["deadline_ms"] = patience;
        }
        return change_all(context, {"stop", Goal::Stopped, "stopped"}, parsed, body, patience + kAfterStop);
      },
      known};
}

}  // namespace umlfarm::cli
