#include "guest/supervisor/spec.h"

#include <functional>
#include <map>

#include "guest/supervisor/numbers.h"

namespace umlfarm::guest {
namespace {

Status read_if(bool good, const std::string& option, const std::string& text, const char* rule) {
  return good ? Status() : Error(Kind::Invalid, option + " '" + text + "': " + rule);
}

std::string mode_of(const JailFile& file) {
  if (file.executable) return "rx";
  return file.writable ? "rw" : "ro";
}

// HOST=INSIDE:ro; the inside path and mode carry no '=' or ':' that could be mistaken from the right.
Status read_file_option(const std::string& text, std::vector<JailFile>& files) {
  const std::size_t colon = text.rfind(':');
  const std::size_t equals = text.rfind('=', colon);
  const std::string mode = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (equals == std::string::npos || (mode != "ro" && mode != "rw" && mode != "rx")) {
    return Error(Kind::Invalid, "--file '" + text + "': must be HOST=INSIDE:ro, :rw or :rx");
  }
  files.push_back(
      {text.substr(0, equals), text.substr(equals + 1, colon - equals - 1), mode == "rw", mode == "rx"});
  return {};
}

using Reader = std::function<Status(const std::string&)>;

std::map<std::string, Reader> readers(SupervisorSpec& spec) {
  const auto text = [](std::string& to) {
    return [&to](const std::string& value) -> Status {
      to = value;
      return {};
    };
  };
  const auto number = [](std::string name, auto& to) {
    return [name = std::move(name), &to](const std::string& value) {
      return read_if(read_number(value, to), name, value, "not a number of its range");
    };
  };
  JailSpec& jail = spec.jail;
  return {
      {"--id", text(jail.id)},
      {"--jail", text(jail.root)},
      {"--kernel", text(jail.kernel)},
      {"--memory", number("--memory", jail.memory_bytes)},
      {"--uid", number("--uid", jail.uid)},
      {"--gid", number("--gid", jail.gid)},
      {"--processors",
       [&jail](const std::string& value) {
         return read_if(read_numbers(value, jail.processors), "--processors", value,
                        "not numbers with commas between");
       }},
      {"--userspace",
       [&jail](const std::string& value) {
         jail.seccomp_userspace = value == "seccomp";
         return read_if(jail.seccomp_userspace || value == "ptrace", "--userspace", value,
                        "must be ptrace or seccomp");
       }},
      {"--max-processes", number("--max-processes", jail.max_processes)},
      {"--max-open-files", number("--max-open-files", jail.max_open_files)},
      {"--max-file-bytes", number("--max-file-bytes", jail.max_file_bytes)},
      {"--most-file-bytes", number("--most-file-bytes", jail.most_file_bytes)},
      {"--file", [&jail](const std::string& value) { return read_file_option(value, jail.files); }},
      {"--cgroup",
       [&jail](const std::string& value) -> Status {
         jail.cgroups.push_back(value);
         return {};
       }},
      {"--run", text(spec.run_directory)},
      {"--log", text(spec.log_file)},
      {"--exit-file", text(spec.exit_file)},
      {"--ready", text(spec.ready_text)},
      {"--tap-fd", number("--tap-fd", spec.tap)},
      {"--lock-fd", number("--lock-fd", spec.lock)},
      {"--launched-fd", number("--launched-fd", spec.launched)},
  };
}

Status check(const SupervisorSpec& spec) {
  const JailSpec& jail = spec.jail;
  for (const auto& [name, value] :
       std::map<std::string, const std::string*>{{"--id", &jail.id},
                                                 {"--jail", &jail.root},
                                                 {"--kernel", &jail.kernel},
                                                 {"--run", &spec.run_directory},
                                                 {"--log", &spec.log_file},
                                                 {"--exit-file", &spec.exit_file}}) {
    if (value->empty()) return Error(Kind::Invalid, name + " is missing");
  }
  if (jail.uid == 0 || jail.gid == 0) return Error(Kind::Invalid, "--uid and --gid must be given, and not 0");
  if (spec.lock < 0) return Error(Kind::Invalid, "--lock-fd is missing");
  if (jail.memory_bytes == 0) return Error(Kind::Invalid, "--memory is missing");
  return {};
}

}  // namespace

std::vector<std::string> to_arguments(const SupervisorSpec& spec) {
  const JailSpec& jail = spec.jail;
  std::vector<std::string> arguments{"--id",
                                     jail.id,
                                     "--jail",
                                     jail.root,
                                     "--kernel",
                                     jail.kernel,
                                     "--memory",
                                     std::to_string(jail.memory_bytes),
                                     "--uid",
                                     std::to_string(jail.uid),
                                     "--gid",
                                     std::to_string(jail.gid),
                                     "--processors",
                                     to_text(jail.processors),
                                     "--userspace",
                                     jail.seccomp_userspace ? "seccomp" : "ptrace",
                                     "--max-processes",
                                     std::to_string(jail.max_processes),
                                     "--max-open-files",
                                     std::to_string(jail.max_open_files),
                                     "--max-file-bytes",
                                     std::to_string(jail.max_file_bytes),
                                     "--most-file-bytes",
                                     std::to_string(jail.most_file_bytes),
                                     "--run",
                                     spec.run_directory,
                                     "--log",
                                     spec.log_file,
                                     "--exit-file",
                                     spec.exit_file,
                                     "--ready",
                                     spec.ready_text,
                                     "--tap-fd",
                                     std::to_string(spec.tap),
                                     "--lock-fd",
                                     std::to_string(spec.lock),
                                     "--launched-fd",
                                     std::to_string(spec.launched)};
  for (const JailFile& file : jail.files) {
    arguments.insert(arguments.end(), {"--file", file.host + "=" + file.inside + ":" + mode_of(file)});
  }
  for (const std::string& cgroup : jail.cgroups) arguments.insert(arguments.end(), {"--cgroup", cgroup});
  arguments.emplace_back("--");
  arguments.insert(arguments.end(), jail.arguments.begin(), jail.arguments.end());
  return arguments;
}

Result<SupervisorSpec> parse_arguments(const std::vector<std::string>& arguments) {
  SupervisorSpec spec;
  const auto options = readers(spec);
  std::size_t at = 0;
  for (; at < arguments.size() && arguments[at] != "--"; at += 2) {
    const auto option = options.find(arguments[at]);
    if (option == options.end()) return Error(Kind::Invalid, "unknown option '" + arguments[at] + "'");
    if (at + 1 == arguments.size()) return Error(Kind::Invalid, arguments[at] + " wants a value");
    UMLFARM_TRY(option->second(arguments[at + 1]));
  }
  for (++at; at < arguments.size(); ++at) spec.jail.arguments.push_back(arguments[at]);
  UMLFARM_TRY(check(spec));
  return spec;
}

}  // namespace umlfarm::guest
