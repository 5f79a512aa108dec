#include <boost/json.hpp>
#include <iostream>

#include "provisioner/base/ids.h"
#include "provisioner/cli/arguments.h"
#include "provisioner/cli/commands/commands.h"

namespace umlfarm::cli {

std::string name_argument(const char* what, const std::string& name) {
  if (const Status checked = check_name(what, name); !checked) wrong_use(checked.error().message());
  return name;
}

void print(const Context& context, const boost::json::value& document, const std::string& text) {
  if (context.globals.json) {
    std::cout << boost::json::serialize(document) << "\n";
  } else {
    std::cout << text;
  }
}

}  // namespace umlfarm::cli
