#include <boost/json.hpp>
#include <cstdlib>
#include <sstream>

#include "provisioner/base/installed.h"
#include "provisioner/base/posix.h"
#include "provisioner/base/run_program.h"
#include "provisioner/cli/arguments.h"
#include "provisioner/cli/commands/commands.h"

namespace umlfarm::cli {

namespace json = boost::json;
namespace options = boost::program_options;

namespace {

struct Recipes {
  std::string source;
  std::string out;  // empty: where they say
};

// Of the source that is named, of those installed with this program, or of the source that it was built from.
Recipes find_recipes() {
  if (const char* const named = std::getenv("UMLFARM_SOURCE")) return {named, ""};
  if (!installed("share/umlfarm/guest/image/build").empty()) {
    return {installed("share/umlfarm"), "/var/cache/umlfarm/images"};
  }
  return {UMLFARM_SOURCE_DIR, ""};
}

Result<int> run(Context& context, const std::vector<std::string>& arguments,
                const options::options_description& known) {
  const Parsed parsed = parse(arguments, known, 1, 100);
  const Recipes recipes = find_recipes();
  const std::string script = recipes.source + "/guest/image/build";
  if (!posix::exists(script)) {
    return Error(
        Kind::NotFound,
        script + " is not there; install umlfarm-images, or set UMLFARM_SOURCE to umlfarm's source tree");
  }
  std::vector<std::string> command{script};
  command.insert(command.end(), parsed.words.begin(), parsed.words.end());
  if (parsed.flag("rebuild")) command.emplace_back("--rebuild");
  const std::string out = parsed.has("out") ? parsed.text("out") : recipes.out;
  if (!out.empty()) command.insert(command.end(), {"--out", out});
  UMLFARM_ASSIGN(const Finished built, run_program(command));
  if (built.exit_code != 0) return Error(Kind::Unavailable, "the build failed; what it said is above");
  std::istringstream lines(built.output);
  json::array entries;
  std::string text;
  for (std::string directory; std::getline(lines, directory);) {
    UMLFARM_ASSIGN(json::value entry, context.client.post("/v1/images", json::object{{"path", directory}}));
    text += json::value_to<std::string>(entry.at("name")) + ": added as " +
            json::value_to<std::string>(entry.at("digest")).substr(0, 12) + "\n";
    entries.push_back(std::move(entry));
  }
  print(context, json::object{{"images", entries}}, text);
  return 0;
}

}  // namespace

Command image_build_command() {
  options::options_description known("Options");
  known.add_options()("rebuild", options::bool_switch(),
                      "for the newest packages, though the recipe is unchanged")(
      "out", options::value<std::string>()->value_name("DIR"),
      "where to build (default: out/images of the source, /var/cache/umlfarm/images where it is installed)");
  return {"image build",
          "NAME... [--rebuild] [--out DIR]",
          "build base images by umlfarm's recipes and take them in",
          "Builds debian-12, tiny or all. Guests made before keep the image that they were made with.\n\n"
          "  umlfarm image build debian-12 --rebuild\n",
          [known](Context& context, const auto& arguments) { return run(context, arguments, known); },
          known};
}

}  // namespace umlfarm::cli
