#include "provisioner/daemon/asked.h"

#include <pwd.h>

#include <array>

#include "provisioner/base/ids.h"

namespace umlfarm::daemon {
namespace {

thread_local Asked now;

std::string user_name(uid_t uid) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
    return entry.pw_name;
  return "user " + std::to_string(uid);
}

}  // namespace

AskedScope::AskedScope(uid_t peer) { now = {user_name(peer), random_hex(4)}; }
AskedScope::~AskedScope() { now = {}; }

const Asked& asked_now() { return now; }

}  // namespace umlfarm::daemon
