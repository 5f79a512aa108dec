#include "hostsetup/boot_settings.h"

#include <algorithm>
#include <boost/algorithm/string/trim.hpp>
#include <map>
#include <sstream>

namespace umlfarm::hostsetup {
namespace {

constexpr const char* kSysctls = "/proc/sys/";
constexpr const char* kHeader = "# Of umlfarm-hostsetup: 'apply' writes this file, 'undo' takes it away.\n";

// "kernel.pid_max" and "kernel/pid_max" are the same; so is "-kernel.pid_max", which may fail.
std::string path_of_key(std::string key) {
  if (key.starts_with('-')) key.erase(0, 1);
  if (key.find('/') == std::string::npos) std::replace(key.begin(), key.end(), '.', '/');
  return kSysctls + key;
}

std::string key_of(const Need& need) {
  std::string key = need.setting.substr(std::string_view(kSysctls).size());
  std::replace(key.begin(), key.end(), '/', '.');
  return key;
}

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// In the order in which they are read: a name in /etc hides the same in the others.
std::map<std::string, std::string> sysctl_files(const Machine& machine) {
  std::map<std::string, std::string> files;
  for (const char* directory :
       {"/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d"}) {
    for (const std::string& name : machine.names(directory)) {
      if (name.ends_with(".conf")) files.emplace(name, std::string(directory) + "/" + name);
    }
  }
  return files;
}

}  // namespace

std::optional<BootValue> value_at_boot(const Machine& machine, const std::string& setting, bool with_ours) {
  std::optional<BootValue> found;
  const std::string ours = name_of(kSysctlFile);
  for (const auto& [name, path] : sysctl_files(machine)) {
    if (name == ours && !with_ours) continue;
    std::istringstream lines(machine.text(path).value_or(""));
    std::string line;
    for (int number = 1; std::getline(lines, line); ++number) {
      const std::size_t equals = line.find('=');
      if (equals == std::string::npos || line.starts_with('#') || line.starts_with(';')) continue;
      if (path_of_key(boost::trim_copy(line.substr(0, equals))) != setting) continue;
      found = BootValue{boost::trim_copy(line.substr(equals + 1)), path + ":" + std::to_string(number),
                        name > ours};
    }
  }
  return found;
}

std::string sysctl_file(const std::vector<Need>& needs) {
  std::string text;
  for (const Need& need : needs) {
    if (need.setting.starts_with(kSysctls)) text += key_of(need) + " = " + value_to_put(need) + "\n";
  }
  return text.empty() ? text : kHeader + text;
}

std::string tmpfiles_file(const std::vector<Need>& needs) {
  std::string text;
  for (const Need& need : needs) {
    if (!need.setting.starts_with(kSysctls))
      text += "w " + need.setting + " - - - - " + value_to_put(need) + "\n";
  }
  return text.empty() ? text : kHeader + text;
}

}  // namespace umlfarm::hostsetup
