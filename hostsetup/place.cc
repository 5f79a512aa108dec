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
                                                              {Sort::Enabled, "unit at boot"},
                                                              {Sort::Running, "unit now"}}};
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

// A link to a directory is as good as one; a link in place of a file is another's way of saying what is in
// it.
Result<Standing> look_at_path(const Machine& machine, const Place& place) {
  const std::string path = machine.at(place.name);
  const bool directory = place.sort == Sort::Directory;
  struct stat status {};
  if ((directory ? ::stat(path.c_str(), &status) : ::lstat(path.c_str(), &status)) < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return Standing();
    return system_error("look at " + path);
  }
  if (S_ISLNK(status.st_mode)) {
    std::array<char, 4096> target{};
    const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
    if (length < 0) return system_error("read link " + path);
    return Standing(kLink + std::string(target.data(), static_cast<std::size_t>(length)));
  }
  if (directory ? !S_ISDIR(status.st_mode) : !S_ISREG(status.st_mode)) {
    return Error(Kind::Conflict, path + " is no " + std::string(sort_name(place.sort)) + "; move it away");
  }
  if (directory) return Standing(print(status));
  UMLFARM_ASSIGN(const std::string content, posix::read_file(path));
  return Standing(print(status) + "\n" + content);
}

std::string directory_of(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }

Status take_away(const std::string& path, bool directory) {
  // What a run that was killed may have left beside it.
  if (!directory) UMLFARM_TRY(posix::remove_file(path + ".new"));
  if ((directory ? ::rmdir(path.c_str()) : ::unlink(path.c_str())) == 0) {
    return posix::sync_directory(directory_of(path));
  }
  if (errno == ENOENT) return {};
  if (errno == ENOTEMPTY || errno == EBUSY)
    return Error(Kind::Conflict, "it holds what is not ours, or is in use");
  return system_error("remove " + path);
}

Status own(const std::string& path, const Ownership& owner) {
  if (::chown(path.c_str(), owner.uid, owner.gid) < 0) return system_error("give " + path + " to its owner");
  if (::chmod(path.c_str(), owner.mode) < 0) return system_error("set the mode of " + path);
  return {};
}

Status put_link(const std::string& path, const std::string& target) {
  const std::string beside = path + ".new";
  UMLFARM_TRY(posix::remove_file(beside));
  if (::symlink(target.c_str(), beside.c_str()) < 0) return system_error("link " + beside);
  if (::rename(beside.c_str(), path.c_str()) < 0) return system_error("rename " + beside);
  return posix::sync_directory(directory_of(path));
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

// Nothing of a unit that there is not: systemctl then says a sentence, or "not-found".
Standing look_whether_enabled(const Machine& machine, const std::string& unit) {
  auto said = machine.answer({"systemctl", "is-enabled", unit});
  if (!said || said->empty() || *said == "not-found" || said->find(' ') != std::string::npos) return {};
  return said;
}

// What fails, starts or stops is not running either.
Standing look_whether_running(const Machine& machine, const std::string& unit) {
  const auto said = machine.answer({"systemctl", "is-active", unit});
  if (!said) return {};
  return *said == "active" ? "active" : "inactive";
}

// systemd reads what it was told of a unit when it is asked to.
bool is_of_a_unit(const Place& place) {
  return place.sort == Sort::File && place.name.starts_with("/etc/systemd/system/");
}

Status put_unit(const Machine& machine, const Place& place, const std::string& wanted) {
  UMLFARM_TRY(machine.run({"systemctl", "daemon-reload"}));
  if (place.sort == Sort::Running) {
    return machine.run({"systemctl", wanted == "active" ? "start" : "stop", place.name});
  }
  return machine.run({"systemctl", wanted == "enabled" ? "enable" : "disable", place.name});
}

// The kernel does not mind that a setting is cut first, and a plain file that stands for one wants it.
Status put_setting(const std::string& path, const std::string& value) {
  UMLFARM_ASSIGN(const UniqueFd fd, posix::open(path, O_WRONLY | O_TRUNC));
  auto written = posix::write_all(fd.get(), value);
  if (!written) return std::move(written).error().context(path);
  return {};
}

// With forwarding, the kernel turns these the other way (inet_forward_change in net/ipv4/devinet.c): they are
// a setting of their own, which stays as it is.
Status put_forwarding(const Machine& machine, const std::string& path, const std::string& value) {
  const std::string redirects = "/proc/sys/net/ipv4/conf/all/accept_redirects";
  const auto before = machine.setting(redirects);
  UMLFARM_TRY(put_setting(machine.at(path), value));
  return before ? put_setting(machine.at(redirects), *before) : Status();
}

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
    case Sort::Enabled:
      return look_whether_enabled(machine, place.name);
    case Sort::Running:
      return look_whether_running(machine, place.name);
    default:
      return look_at_path(machine, place);
  }
}

Status put(const Machine& machine, const Place& place, const Standing& wanted) {
  switch (place.sort) {
    case Sort::Setting:
      if (!wanted) return {};
      if (place.name == "/proc/sys/net/ipv4/ip_forward") return put_forwarding(machine, place.name, *wanted);
      return put_setting(machine.at(place.name), *wanted);
    case Sort::Enabled:
    case Sort::Running:
      return wanted ? put_unit(machine, place, *wanted) : Status();
    default:
      UMLFARM_TRY(put_path(machine, place, wanted));
      return is_of_a_unit(place) && machine.has(kSystemd) ? machine.run({"systemctl", "daemon-reload"})
                                                          : Status();
  }
}

}  // namespace umlfarm::hostsetup
