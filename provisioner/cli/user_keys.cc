#include "provisioner/cli/user_keys.h"

#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

#include "provisioner/base/posix.h"
#include "provisioner/base/run_program.h"

namespace umlfarm::cli {
namespace {

constexpr const char* kUsual[] = {"/.ssh/id_ed25519", "/.ssh/id_ecdsa", "/.ssh/id_rsa"};
constexpr const char* kOurs = "/.config/umlfarm/id_ed25519";

struct Person {
  std::string home;
  uid_t uid = 0;
  gid_t gid = 0;
};

// Who typed the command, before sudo.
Person caller() {
  uid_t uid = ::getuid();
  if (const char* before = std::getenv("SUDO_UID"); before != nullptr && uid == 0) {
    const std::string_view text(before);
    std::from_chars(text.data(), text.data() + text.size(), uid);
  }
  const passwd* const entry = ::getpwuid(uid);
  const char* const home = std::getenv("HOME");
  if (entry == nullptr) return {home == nullptr ? "" : home, uid, ::getgid()};
  // A HOME of one's own choice counts, unless it is what sudo left behind.
  const bool own = home != nullptr && uid == ::getuid();
  return {own ? home : entry->pw_dir, uid, entry->pw_gid};
}

Status make_key(const Person& person, const std::string& file) {
  const std::string directory = file.substr(0, file.rfind('/'));
  const std::string parent = directory.substr(0, directory.rfind('/'));
  const bool parent_there = posix::exists(parent);
  UMLFARM_TRY(posix::make_directories(directory, 0700));
  UMLFARM_ASSIGN(const Finished made,
                 run_program({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "umlfarm", "-f", file}));
  if (made.exit_code != 0) return Error(Kind::Internal, "ssh-keygen could not make " + file);
  if (::getuid() == person.uid) return {};
  for (const std::string& path : {parent_there ? directory : parent, directory, file, file + ".pub"}) {
    if (::lchown(path.c_str(), person.uid, person.gid) < 0) return system_error("give " + path);
  }
  return {};
}

}  // namespace

std::vector<std::string> identities() {
  std::vector<std::string> files;
  std::vector<std::string> homes{caller().home};
  if (const char* home = std::getenv("HOME"); home != nullptr && home != homes[0]) homes.emplace_back(home);
  for (const std::string& home : homes) {
    for (const char* name : kUsual) {
      if (posix::exists(home + name)) files.push_back(home + name);
    }
    if (posix::exists(home + kOurs)) files.push_back(home + kOurs);
  }
  return files;
}

Result<DefaultKey> default_public_key() {
  const Person person = caller();
  for (const char* name : kUsual) {
    const std::string file = person.home + name + ".pub";
    if (posix::exists(file)) return DefaultKey{file, false};
  }
  const std::string ours = person.home + kOurs;
  if (posix::exists(ours + ".pub")) return DefaultKey{ours + ".pub", false};
  UMLFARM_TRY(make_key(person, ours));
  return DefaultKey{ours + ".pub", true};
}

}  // namespace umlfarm::cli
