// umlfarm-hostsetup: prepares a machine to carry guests, proves it, and takes it back.
#include <boost/program_options.hpp>
#include <iostream>

#include "hostsetup/report.h"
#include "hostsetup/verbs.h"
#include "provisioner/base/installed.h"

namespace umlfarm::hostsetup {
namespace {

namespace options = boost::program_options;

// As monitors read it: 0 to 2 are a verdict on the machine.
constexpr int kWrongUse = 64;

constexpr const char* kUsage =
    "usage: umlfarm-hostsetup VERB [options]\n"
    "\n"
    "  inspect [CHECK...]  what is, what should be, and how bad it is\n"
    "  plan                exactly what apply would change, as a diff\n"
    "  apply               do it, record what was before, and verify\n"
    "  verify [CHECK...]   whether all holds: exit status 0, 1 where something should and does not, 2 where "
    "it "
    "must\n"
    "  undo                back to what was before; what others changed since stays\n"
    "  explain [CHECK]     what is checked, and why\n"
    "\n"
    "CHECK is one such as disk.room, or all of a topic, such as disk.\n";

struct Verb {
  const char* name;
  Result<int> (*run)(const Settings&);
};
constexpr Verb kVerbs[] = {{"inspect", run_inspect},
                           {"plan", run_plan},
                           {"apply", run_apply},
                           {"verify", run_verify},
                           {"undo", run_undo}};

std::string find_profiles() {
  const std::string profiles = installed("share/umlfarm/profiles");
  return profiles.empty() ? UMLFARM_PROFILES : profiles;
}

int explain(const std::string& check) {
  const std::string text = explanation(check);
  if (text.empty()) {
    std::cerr << "umlfarm-hostsetup: there is no check '" << check
              << "'; 'umlfarm-hostsetup explain' lists them\n";
    return kWrongUse;
  }
  std::cout << text;
  return 0;
}

int run_verb(const std::string& verb, const Settings& settings) {
  for (const Verb& known : kVerbs) {
    if (verb != known.name) continue;
    const Result<int> code = known.run(settings);
    if (code) return *code;
    std::cerr << "umlfarm-hostsetup: " << code.error().message() << "\n";
    return exit_code(code.error().kind());
  }
  std::cerr << "umlfarm-hostsetup: no verb '" << verb << "'; see umlfarm-hostsetup --help\n";
  return kWrongUse;
}

int run_main(int argc, char** argv) {
  Settings settings;
  std::string verb;
  std::vector<std::string> checks;
  options::options_description known("Options");
  known.add_options()("help,h", "say this")("version", "say which version this is")(
      "profile", options::value(&settings.profile),
      "vps, shell or capacity (default: as /etc/umlfarm/hostsetup.toml says, else vps)")(
      "json", options::bool_switch(&settings.json), "inspect, plan, verify: for programs")(
      "purge", options::bool_switch(&settings.purge),
      "undo: also remove the farm's state, kernels and images")(
      "root", options::value(&settings.root), "a directory that stands for the machine's files");
  options::options_description all(known);
  all.add_options()("verb", options::value(&verb))("check", options::value(&checks));
  options::positional_options_description words;
  words.add("verb", 1).add("check", -1);
  options::variables_map values;
  options::store(options::command_line_parser(argc, argv).options(all).positional(words).run(), values);
  options::notify(values);
  if (values.count("help") != 0) {
    std::cout << kUsage << "\n" << known;
    return 0;
  }
  if (values.count("version") != 0) {
    std::cout << "umlfarm-hostsetup " UMLFARM_VERSION "\n";
    return 0;
  }
  if (verb.empty()) {
    std::cerr << kUsage;
    return kWrongUse;
  }
  if (verb == "explain" && checks.size() < 2) return explain(checks.empty() ? "" : checks.front());
  if (!checks.empty() && verb != "inspect" && verb != "verify")
    throw options::error("'" + checks.back() + "': " + verb + " takes no such word");
  settings.only = checks;
  settings.profile_directory = find_profiles();
  return run_verb(verb, settings);
}

}  // namespace
}  // namespace umlfarm::hostsetup

int main(int argc, char** argv) {
  try {
    return umlfarm::hostsetup::run_main(argc, argv);
  } catch (const boost::program_options::error& fault) {
    std::cerr << "umlfarm-hostsetup: " << fault.what() << "; see umlfarm-hostsetup --help\n";
    return 64;
  } catch (const std::exception& fault) {
    std::cerr << "umlfarm-hostsetup: " << fault.what() << "\n";
    return 10;
  }
}
