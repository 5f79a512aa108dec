#include <boost/json.hpp>
#include <iostream>

#include "provisioner/cli/arguments.h"
#include "provisioner/cli/commands/commands.h"
#include "provisioner/cli/end_unread.h"
#include "provisioner/cli/render.h"

namespace umlfarm::cli {

namespace options = boost::program_options;

namespace {

// Whole lines of what comes in pieces.
class Lines {
 public:
  explicit Lines(bool json) : json_(json) {}
  void add(std::string_view piece) {
    rest_ += piece;
    for (std::size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n')) {
      const std::string line = rest_.substr(0, end);
      rest_.erase(0, end + 1);
      std::cout << (json_ ? line + "\n" : render_event(boost::json::parse(line))) << std::flush;
    }
  }

 private:
  bool json_;
  std::string rest_;
};

}  // namespace

Command events_command() {
  options::options_description known("Options");
  known.add_options()("follow,f", options::bool_switch(), "go on as they happen")(
      "guest", options::value<std::string>()->value_name("NAME"), "of one guest alone")(
      "since", options::value<std::int64_t>()->value_name("ID")->default_value(0), "those after this one");
  return {"events",
          "[--follow] [--guest NAME] [--since ID]",
          "show what happened",
          "Shows the farm's last events: guests created, started, ready, gone, and why.\n\n"
          "  umlfarm events --follow\n",
          [known](Context& context, const auto& arguments) -> Result<int> {
            const Parsed parsed = parse(arguments, known, 0, 0);
            std::string target =
                "/v1/events?since=" + std::to_string(parsed.options["since"].as<std::int64_t>());
            if (parsed.flag("follow")) {
              target += "&follow=1";
              end_when_unread();
            }
            if (parsed.has("guest")) target += "&guest=" + name_argument("guest name", parsed.text("guest"));
            Lines lines(context.globals.json);
            UMLFARM_TRY(context.client.stream(target, [&](std::string_view piece) { lines.add(piece); }));
            return 0;
          },
          known};
}

}  // namespace umlfarm::cli
