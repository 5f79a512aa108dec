#include "hostsetup/place.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "provisioner/base/atomic_file.h"
#include "provisioner/base/posix.h"

namespace umlfarm::hostsetup {
namespace {

constexpr std::array<std::pair<Sort, const char*>, 5> kSorts{{{Sort::File, "file"},
                                                              {Sort::Directory, "directory"},
                                                              {Sort::Setting, "setting"},
                                                              {Sort::Module, "module"},
                                                              {Sort::Unit, "unit"}}};
constexpr const char* kLink = "-> ";

struct Ownership {
  mode_t mode = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};

std::string print(const struct stat& status) {
  char text[64];
  (void)std::snprintf(text, sizeof text, "%04o %u:%u", status.st_mode & 07777U, status.st_uid, status.st_gid);
  return text;
}

Result<Ownership> parse(const std::string& text) {
  Ownership found;
  if (std::sscanf(text.c_str(), "%o %u:%u", &found.mode, &found.uid, &found.gid) == 3) return found;
  return Error(Kind::Invalid, "'" + text + "' is no mode, owner and group, such as \"0644 0:0\"");
}

Result<Standing> look_at_path(const Machine& machine, const Place& place) {
  const std::string path = machine.at(place.name);
  struct stat status {};
  if (::lstat(path.c_str(), &status) < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return Standing();
    return system_error("look at " + path);
  }
  if (S_ISLNK(status.st_mode)) {
    std::array<char, 4096> target{};
    const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
    if (length < 0) return system_error("read link " + path);
    return Standing(kLink + std::string(target.data(), static_cast<std::size_t>(length)));
  }
  const bool fits = place.sort == Sort::Directory ? S_ISDIR(status.st_mode) : S_ISREG(status.st_mode);
  if (!fits) {
    return Error(Kind::Conflict, path + " is no " + std::string(sort_name(place.sort)) + "; move it away");
  }
  if (place.sort == Sort::Directory) return Standing(print(status));
  UMLFARM_ASSIGN(const std::string content, posix::read_file(path));
  return Standing(print(status) + "\n" + content);
}

Status take_away(const std::string& path, bool directory) {
  if ((directory ? ::rmdir(path.c_str()) : ::unlink(path.c_str())) == 0 || errno == ENOENT) return {};
  if (errno == ENOTEMPTY || errno == EBUSY) {
    return Error(Kind::Conflict, path + " is in use or holds what is not ours");
  }
  return system_error("remove " + path);
}

Status own(const std::string& path, const Ownership& owner) {
  if (::lchown(path.c_str(), owner.uid, owner.gid) < 0) return system_error("give " + path + " to its owner");
  if (::chmod(path.c_str(), owner.mode) < 0) return system_error("set the mode of " + path);
  return {};
}

Status put_link(const std::string& path, const std::string& target) {
  UMLFARM_TRY(posix::remove_file(path));
  return ::symlink(target.c_str(), path.c_str()) == 0 ? Status() : system_error("link " + path);
}

Status put_path(const Machine& machine, const Place& place, const Standing& wanted) {
  const std::string path = machine.at(place.name);
  const bool directory = place.sort == Sort::Directory;
  if (!wanted) return take_away(path, directory);
  if (wanted->starts_with(kLink)) return put_link(path, wanted->substr(3));
  const std::size_t line = wanted->find('\n');
  UMLFARM_ASSIGN(const Ownership owner, parse(wanted->substr(0, line)));
  if (directory) {
    UMLFARM_TRY(posix::make_directories(path, owner.mode));
  } else {
    UMLFARM_TRY(write_file_atomically(path, wanted->substr(line + 1), owner.mode));
  }
  return own(path, owner);
}

Standing look_at_unit(const Machine& machine, const std::string& unit) {
  const auto enabled = machine.answer({"systemctl", "is-enabled", unit});
  if (!enabled || enabled->empty() || enabled->find(' ') != std::string::npos) return {};
  return *enabled + " " + machine.answer({"systemctl", "is-active", unit}).value_or("unknown");
}

Status put_unit(const Machine& machine, const std::string& unit, const std::string& wanted) {
  UMLFARM_TRY(machine.run({"systemctl", "daemon-reload"}));
  const bool running = wanted.ends_with(" active");
  if (!running) UMLFARM_TRY(machine.run({"systemctl", "stop", unit}));
  const auto is = look_at_unit(machine, unit);
  if (is && is->starts_with("masked")) UMLFARM_TRY(machine.run({"systemctl", "unmask", unit}));
  if (wanted.starts_with("enabled")) UMLFARM_TRY(machine.run({"systemctl", "enable", unit}));
  if (wanted.starts_with("disabled")) UMLFARM_TRY(machine.run({"systemctl", "disable", unit}));
  if (wanted.starts_with("masked")) UMLFARM_TRY(machine.run({"systemctl", "mask", unit}));
  return running ? machine.run({"systemctl", "start", unit}) : Status();
}

// The kernel does not mind that a setting is cut first, and a plain file that stands for one wants it.
Status put_setting(const std::string& path, const std::string& value) {
  UMLFARM_ASSIGN(const UniqueFd fd, posix::open(path, O_WRONLY | O_TRUNC));
  auto written = posix::write_all(fd.get(), value);
  if (!written) return std::move(written).error().context(path);
  return {};
}

std::string module_path(const std::string& name) { return "/sys/module/" + name; }

}  // namespace

std::string file_standing(const std::string& content) { return "0644 0:0\n" + content; }

std::string_view sort_name(Sort sort) {
  for (const auto& [known, name] : kSorts) {
    if (known == sort) return name;
  }
  return "file";
}

Result<Sort> sort_from_name(std::string_view name) {
  for (const auto& [sort, known] : kSorts) {
    if (known == name) return sort;
  }
  return Error(Kind::Invalid, "'" + std::string(name) + "' is no sort of place");
}

Result<Standing> look(const Machine& machine, const Place& place) {
  switch (place.sort) {
    case Sort::Setting:
      return Standing(machine.setting(place.name));
    case Sort::Module:
      return machine.has(module_path(place.name)) ? Standing("loaded") : Standing();
    case Sort::Unit:
      return look_at_unit(machine, place.name);
    default:
      return look_at_path(machine, place);
  }
}

Status put(const Machine& machine, const Place& place, const Standing& wanted) {
  switch (place.sort) {
    case Sort::Setting:
      return wanted ? put_setting(machine.at(place.name), *wanted) : Status();
    case Sort::Module:
      return machine.run(wanted ? std::vector<std::string>{"modprobe", place.name}
                                : std::vector<std::string>{"modprobe", "-r", place.name});
    case Sort::Unit:
      return wanted ? put_unit(machine, place.name, *wanted) : Status();
    default:
      return put_path(machine, place, wanted);
  }
}

}  // namespace umlfarm::hostsetup
