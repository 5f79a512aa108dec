#include "provisioner/cli/command.h"

#include <algorithm>
#include <limits>

#include "provisioner/cli/commands/commands.h"

namespace umlfarm::cli {
namespace {

// Levenshtein's distance.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

}  // namespace

const std::vector<Command>& commands() {
  static const std::vector<Command> all{
      create_command(),        list_command(),        show_command(),          ssh_command(),
      console_command(),       logs_command(),        start_command(),         stop_command(),
      inside_command(),        restart_command(),     set_command(),           quota_command(),
      top_command(),           delete_command(),      events_command(),        mconsole_command(),
      tunnel_command(),        suspend_command(),     unsuspend_command(),     usage_command(),
      metrics_command(),       status_command(),      plan_list_command(),     plan_show_command(),
      image_list_command(),    image_build_command(), image_add_command(),     image_verify_command(),
      image_remove_command(),  kernel_list_command(), kernel_add_command(),    kernel_remove_command(),
      tenant_list_command(),   tenant_show_command(), tenant_create_command(), tenant_set_command(),
      tenant_delete_command(), host_show_command()};
  return all;
}

const Command* find_command(const std::vector<std::string>& arguments) {
  for (const Command& command : commands()) {
    const std::size_t space = command.name.find(' ');
    if (arguments.empty() || arguments[0] != command.name.substr(0, space)) continue;
    if (space == std::string::npos) return &command;
    if (arguments.size() > 1 && arguments[1] == command.name.substr(space + 1)) return &command;
  }
  return nullptr;
}

std::string nearest_command(const std::string& typed) {
  std::string nearest;
  std::size_t least = 3;
  for (const Command& command : commands()) {
    for (const std::string& name : {command.name, command.name.substr(0, command.name.find(' '))}) {
      const std::size_t away = distance(typed, name);
      if (away >= least || away >= typed.size()) continue;
      least = away;
      nearest = command.name;
    }
  }
  return nearest;
}

}  // namespace umlfarm::cli
