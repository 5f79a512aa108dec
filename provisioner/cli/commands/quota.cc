// quota and top: what guests use of what they are promised.
#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <iostream>
#include <map>
#include <thread>

#include "provisioner/base/clock.h"
#include "provisioner/cli/arguments.h"
#include "provisioner/cli/commands/commands.h"
#include "provisioner/cli/end_unread.h"
#include "provisioner/cli/render.h"

namespace umlfarm::cli {

namespace json = boost::json;
namespace options = boost::program_options;

namespace {

constexpr const char* kClear = "\x1b[H\x1b[2J";

// Shows all guests again and again; a first look that nothing is compared with is not shown.
Result<int> watch(Context& context, std::int64_t interval_ms, std::int64_t times) {
  UMLFARM_ASSIGN(json::value before, context.client.get("/v1/usage"));
  end_when_unread();
  const bool screen = ::isatty(STDOUT_FILENO) == 1 && !context.globals.json;
  for (std::int64_t i = 0; times == 0 || i < times; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(interval_ms));
    UMLFARM_ASSIGN(json::value now, context.client.get("/v1/usage"));
    print(context, now, (screen && times != 1 ? kClear : "") + render_top(before, now));
    std::cout << std::flush;
    before = std::move(now);
  }
  return 0;
}

}  // namespace

Command quota_command() {
  return {
      "quota",
      "NAME",
      "show a guest's limits, with what it uses and has used at most",
      "Shows each limit of a guest, what it uses of it, the most that it has used since its start, and what\n"
      "is left.\n\n  umlfarm quota alice\n",
      [](Context& context, const auto& arguments) -> Result<int> {
        const Parsed parsed = parse(arguments, {}, 1, 1);
        const std::string name = name_argument("guest name", parsed.words[0]);
        UMLFARM_ASSIGN(const json::value usage, context.client.get("/v1/guests/" + name + "/usage"));
        print(context, usage, render_quota(usage));
        return 0;
      },
      {}};
}

Command top_command() {
  options::options_description known("Options");
  known.add_options()("interval", options::value<std::string>()->value_name("SECONDS")->default_value("2"),
                      "between two looks")("count",
                                           options::value<std::int64_t>()->value_name("N")->default_value(0),
                                           "end after N looks; 0: go on");
  return {
      "top",
      "[--interval SECONDS] [--count N]",
      "show what all guests use, again and again",
      "Shows processor time, memory, processes and disk of all guests that run, the busiest first, until it\n"
      "is interrupted.\n\n  umlfarm top\n  umlfarm top --count 1\n",
      [known](Context& context, const auto& arguments) -> Result<int> {
        const Parsed parsed = parse(arguments, known, 0, 0);
        const std::int64_t interval = milliseconds("interval", parsed.text("interval"));
        const auto times = parsed.options["count"].as<std::int64_t>();
        if (interval == 0) wrong_use("--interval 0: must be a second or more");
        if (times < 0) wrong_use("--count " + std::to_string(times) + ": must be 0 or more");
        return watch(context, interval, times);
      },
      known};
}

}  // namespace umlfarm::cli
