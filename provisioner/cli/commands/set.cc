#include <boost/algorithm/string/replace.hpp>
#include <boost/json.hpp>
#include <iostream>

#include "provisioner/base/printable.h"
#include "provisioner/cli/arguments.h"
#include "provisioner/cli/commands/commands.h"
#include "provisioner/cli/wait.h"

namespace umlfarm::cli {

namespace json = boost::json;
namespace options = boost::program_options;

namespace {

constexpr std::int64_t kMostWaitMs = 120'000;

std::string key_of(const char* option) {
  return boost::algorithm::replace_all_copy(std::string(option), "-", "_");
}

Result<json::object> request(const Parsed& parsed) {
  json::object body;
  for (const char* const option :
       {"plan", "memory", "memory-ceiling", "host-memory", "disk", "read-rate", "write-rate", "rate-in",
        "rate-out", "network-burst", "traffic", "traffic-end", "throttled-rate"}) {
    if (parsed.has(option)) body[key_of(option)] = parsed.text(option);
  }
  for (const char* const option : {"processes", "processors", "cpu-weight", "cpu-percent", "read-operations",
                                   "write-operations", "packets"}) {
    if (parsed.has(option)) body[key_of(option)] = parsed.options[option].as<std::int64_t>();
  }
  if (body.empty()) wrong_use("no limit is named");
  if (parsed.flag("restart")) body["restart"] = true;
  return body;
}

Result<int> run(Context& context, const std::vector<std::string>& arguments,
                const options::options_description& known) {
  const Parsed parsed = parse(arguments, known, 1, 1);
  const std::string name = name_argument("guest name", parsed.words[0]);
  UMLFARM_ASSIGN(const json::object body, request(parsed));
  UMLFARM_ASSIGN(const json::value report, context.client.post("/v1/guests/" + name + "/limits", body));
  print(context, report, name + ": " + printable(json::value_to<std::string>(report.at("summary"))) + "\n");
  if (report.at("restarts").as_bool()) {
    const auto before = report.at("guest").at("started_ms").to_number<std::int64_t>();
    UMLFARM_TRY(wait_for(context.client, {name}, Goal::Ready, kMostWaitMs, before));
  }
  return report.at("complete").as_bool() ? 0 : exit_code(Kind::Conflict);
}

}  // namespace

Command set_command() {
  options::options_description known("Options");
  const auto text = [](const char* value) { return options::value<std::string>()->value_name(value); };
  const auto number = [] { return options::value<std::int64_t>()->value_name("N"); };
  known.add_options()("memory", text("SIZE"), "such as 64M; up to its ceiling at once")(
      "memory-ceiling", text("SIZE"), "what its memory can be set to while it runs")(
      "host-memory", text("SIZE"), "what of its memory the host gives it; 0: all")(
      "disk", text("SIZE"), "its disk, which only grows")(
      "cpu-weight", number(), "its share where processors are short: 1 to 10000, others have 100")(
      "cpu-percent", number(), "the most of one processor's time; 0: all there is")(
      "read-rate", text("SIZE"), "of the host's disk, a second; 0: all there is")(
      "write-rate", text("SIZE"), "the same of what it writes and syncs")(
      "read-operations", number(), "of the host's disk, a second; 0: any number")(
      "write-operations", number(), "the same of what it writes and syncs")(
      "rate-in", text("RATE"), "the most that its network gets, such as 10mbit; 0: all there is")(
      "rate-out", text("RATE"), "the most that it sends")("network-burst", text("SIZE"),
                                                          "what of either passes at once after a rest")(
      "packets", number(), "the most packets a second, each way; 0: any number")(
      "traffic", text("SIZE"), "of each month, both ways together; 0: any amount")(
      "traffic-end", text("WHAT"), "then: warn, throttle or stop")(
      "throttled-rate", text("RATE"), "what it has each way when it is throttled")(
      "processes", number(), "the most processes in it")("processors", number(), "its processors")(
      "plan", text("PLAN"), "all of these as the plan says")(
      "restart", options::bool_switch(), "start it again for what it can't be given while it runs");
  return {
      "set",
      "NAME [OPTIONS]",
      "change a guest's limits while it runs",
      "Memory is taken out of the guest and given back through its kernel; what the host holds of it is\n"
      "looked at before less is promised. A guest that gives less than asked keeps the rest, and the exit\n"
      "status is 5. A disk grows while it is in use, to 16 times the size that it was made with; images of\n"
      "umlfarm grow what is on it as well. Memory above its ceiling, processes and processors take a\n"
      "restart: without --restart that is refused.\n\n"
      "  umlfarm set alice --memory 64M\n  umlfarm set alice --rate-out 20mbit\n  umlfarm set alice --plan "
      "medium --restart\n",
      [known](Context& context, const auto& arguments) { return run(context, arguments, known); },
      known};
}

}  // namespace umlfarm::cli
