#include "hostsetup/machine.h"

#include <boost/algorithm/string/join.hpp>
#include <regex>

#include "provisioner/base/posix.h"

namespace umlfarm::hostsetup {

Result<Finished> run_quietly(const std::vector<std::string>& arguments) {
  std::vector<std::string> shell{"sh", "-c", R"(PATH=$PATH:/usr/sbin:/sbin; exec "$@" </dev/null 2>&1)",
                                 "sh"};
  shell.insert(shell.end(), arguments.begin(), arguments.end());
  return run_program(shell);
}

Result<Finished> run_nothing(const std::vector<std::string>& arguments) {
  return Error(Kind::NotFound, "'" + arguments[0] + "' is not run for a directory that stands for a machine");
}

bool Machine::has(const std::string& path) const { return posix::exists(at(path)); }

std::optional<std::string> Machine::text(const std::string& path) const {
  auto read = posix::read_file(at(path));
  if (!read) return {};
  return *std::move(read);
}

std::optional<std::string> Machine::setting(const std::string& path) const {
  const auto read = text(path);
  if (!read) return {};
  static const std::regex kChosen(R"(\[([^\]]*)\])");
  static const std::regex kSpace(R"(\s+)");
  std::smatch match;
  if (path.starts_with("/sys/") && std::regex_search(*read, match, kChosen)) return match[1];
  std::string line = std::regex_replace(*read, kSpace, " ");
  if (line.ends_with(' ')) line.pop_back();
  return line;
}

std::vector<std::string> Machine::names(const std::string& path) const {
  return posix::list_directory(at(path)).value_or(std::vector<std::string>());
}

Status Machine::run(const std::vector<std::string>& arguments) const {
  UMLFARM_ASSIGN(const Finished finished, run_(arguments));
  if (finished.exit_code == 0) return {};
  return Error(Kind::Unavailable, "'" + boost::algorithm::join(arguments, " ") + "' ended with code " +
                                      std::to_string(finished.exit_code) + ": " +
                                      finished.output.substr(0, finished.output.find_last_not_of('\n') + 1));
}

std::optional<Finished> Machine::ask(const std::vector<std::string>& arguments) const {
  auto finished = run_(arguments);
  if (!finished || finished->exit_code == 127) return {};
  return *std::move(finished);
}

std::optional<std::string> Machine::answer(const std::vector<std::string>& arguments) const {
  const auto finished = ask(arguments);
  if (!finished) return {};
  return finished->output.substr(0, finished->output.find('\n'));
}

}  // namespace umlfarm::hostsetup
