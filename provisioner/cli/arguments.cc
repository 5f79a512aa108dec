#include "provisioner/cli/arguments.h"

#include <charconv>
#include <limits>

namespace umlfarm::cli {

namespace options = boost::program_options;

namespace {

Parsed read(const std::vector<std::string>& arguments, const options::options_description& known) {
  options::options_description all;
  all.add(known);
  all.add_options()("words", options::value<std::vector<std::string>>());
  options::positional_options_description positional;
  positional.add("words", -1);
  Parsed parsed;
  const auto style = options::command_line_style::unix_style & ~options::command_line_style::allow_guessing;
  options::store(
      options::command_line_parser(arguments).options(all).positional(positional).style(style).run(),
      parsed.options);
  options::notify(parsed.options);
  parsed.words = parsed.texts("words");
  return parsed;
}

}  // namespace

void wrong_use(const std::string& what) { throw options::error(what); }

Parsed parse(const std::vector<std::string>& arguments, const options::options_description& known,
             std::size_t least, std::size_t most) {
  Parsed parsed = read(arguments, known);
  if (parsed.words.size() < least) wrong_use("something is missing after it");
  if (parsed.words.size() > most) wrong_use("'" + parsed.words[most] + "' is one too many");
  return parsed;
}

Parsed parse_leading(const std::vector<std::string>& arguments, const options::options_description& known,
                     std::size_t least) {
  // Options with a value take the next argument, so that the first word is found by trying: the shortest
  // beginning that holds one.
  for (std::size_t length = 1; length <= arguments.size(); ++length) {
    if (arguments[length - 1].starts_with("-")) continue;
    Parsed parsed = read({arguments.begin(), arguments.begin() + static_cast<std::ptrdiff_t>(length)}, known);
    if (parsed.words.empty()) continue;
    auto rest = arguments.begin() + static_cast<std::ptrdiff_t>(length);
    if (rest != arguments.end() && *rest == "--") ++rest;
    parsed.words.insert(parsed.words.end(), rest, arguments.end());
    if (parsed.words.size() < least) wrong_use("something is missing after it");
    return parsed;
  }
  wrong_use("a guest's name is missing");
}

std::int64_t milliseconds(const std::string& option, const std::string& seconds) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(seconds.data(), seconds.data() + seconds.size(), value);
  if (error != std::errc() || end != seconds.data() + seconds.size() || value > 86'400) {
    wrong_use("--" + option + " '" + seconds + "': must be seconds, 0 to 86400");
  }
  return std::int64_t{value} * 1000;
}

}  // namespace umlfarm::cli
