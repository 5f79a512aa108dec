#include <iostream>

#include "provisioner/cli/arguments.h"
#include "provisioner/cli/commands/commands.h"

namespace umlfarm::cli {

Command metrics_command() {
  return {
      "metrics",
      "",
      "print what Prometheus reads",
      "Prints the farm's metrics as they were last looked at, in Prometheus' text format.\n\n"
      "  umlfarm metrics | grep umlfarm_guest_cpu\n",
      [](Context& context, const auto& arguments) -> Result<int> {
        parse(arguments, {}, 0, 0);
        UMLFARM_TRY(context.client.stream("/v1/metrics", [](std::string_view piece) { std::cout << piece; }));
        return 0;
      },
      {}};
}

}  // namespace umlfarm::cli
