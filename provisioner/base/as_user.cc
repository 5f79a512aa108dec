#include "provisioner/base/as_user.h"

#include <grp.h>
#include <pwd.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace umlfarm {
namespace {

struct Groups {
  gid_t primary = 65534;  // nogroup, for a user that the host does not know
  std::vector<gid_t> all;
};

Groups groups_of(uid_t uid) {
  Groups groups;
  passwd entry{};
  passwd* found = nullptr;
  std::string text(16'384, '\0');
  if (::getpwuid_r(uid, &entry, text.data(), text.size(), &found) != 0 || found == nullptr) return groups;
  groups.primary = found->pw_gid;
  int count = 256;
  groups.all.resize(static_cast<std::size_t>(count));
  if (::getgrouplist(found->pw_name, found->pw_gid, groups.all.data(), &count) < 0) count = 0;
  groups.all.resize(static_cast<std::size_t>(count));
  return groups;
}

// libc's own would change all threads.
bool set_groups_of_thread(const std::vector<gid_t>& groups) {
  return ::syscall(SYS_setgroups, groups.size(), groups.data()) == 0;
}

// It answers with the one that was; asked for what can't be, it only answers.
bool acts_as(uid_t uid) { return static_cast<uid_t>(::setfsuid(static_cast<uid_t>(-1))) == uid; }

// Back to what the thread was, however the work ends.
class ThreadAs {
 public:
  ThreadAs(uid_t uid, gid_t gid, const std::vector<gid_t>& own_groups)
      : own_gid_(::setfsgid(gid)), own_uid_(::setfsuid(uid)), own_groups_(own_groups) {}
  ThreadAs(const ThreadAs&) = delete;
  ThreadAs& operator=(const ThreadAs&) = delete;
  ~ThreadAs() {
    ::setfsuid(static_cast<uid_t>(own_uid_));
    ::setfsgid(static_cast<gid_t>(own_gid_));
    // A thread of a pool that stayed somebody else would serve the next one so.
    if (!set_groups_of_thread(own_groups_)) std::abort();
  }

 private:
  int own_gid_;
  int own_uid_;
  const std::vector<gid_t>& own_groups_;
};

}  // namespace

Status as_user(uid_t uid, const std::function<Status()>& work) {
  if (uid == 0 || uid == ::geteuid()) return work();
  const Groups theirs = groups_of(uid);
  std::vector<gid_t> ours(static_cast<std::size_t>(::getgroups(0, nullptr)));
  if (::getgroups(static_cast<int>(ours.size()), ours.data()) < 0) return system_error("list own groups");
  if (!set_groups_of_thread(theirs.all)) return system_error("act for user " + std::to_string(uid));
  const ThreadAs as(uid, theirs.primary, ours);
  return acts_as(uid) ? work() : Error(Kind::Denied, "may not act for user " + std::to_string(uid));
}

}  // namespace umlfarm
