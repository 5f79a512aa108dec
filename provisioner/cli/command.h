// What a verb is, and what it is given.
#pragma once

#include <boost/program_options.hpp>
#include <functional>
#include <string>
#include <vector>

#include "provisioner/api/client.h"
#include "provisioner/base/result.h"

namespace umlfarm::cli {

// What comes before the verb, or anywhere among its options.
struct Globals {
  std::string socket;
  bool json = false;  // answers as the API gives them
};

struct Context {
  Globals globals;
  api::Client client;
};

struct Command {
  std::string name;       // "image list" has two words
  std::string arguments;  // after the name, for people: "NAME [--plan PLAN]"
  std::string summary;    // one line
  std::string help;       // paragraphs with an example
  // Throws boost::program_options::error for a wrong use; the process's exit code otherwise.
  std::function<Result<int>(Context&, const std::vector<std::string>& arguments)> run;
  boost::program_options::options_description options;
};

// All verbs, in the order of the help.
const std::vector<Command>& commands();

// The verb that the arguments begin with; null for none.
const Command* find_command(const std::vector<std::string>& arguments);
// The verb nearest to a mistyped one; empty when none is near.
std::string nearest_command(const std::string& typed);

}  // namespace umlfarm::cli
