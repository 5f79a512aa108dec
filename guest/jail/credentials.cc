#include "guest/jail/credentials.h"

#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace umlfarm::guest {
namespace {

Status drop_capabilities() {
  for (unsigned long capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) return system_error("drop a capability");
  }
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
    return system_error("clear ambient set");
  return {};
}

// setresuid already empties these; said again so that no keep-caps bit decides.
Status clear_capability_sets() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  if (::syscall(SYS_capset, &header, none.data()) < 0) return system_error("capset");
  return {};
}

}  // namespace

Status set_limits(const JailSpec& spec) {
  const auto both = [](rlim_t most) { return rlimit{most, most}; };
  const std::array<std::pair<__rlimit_resource, rlimit>, 9> limits{{
      // 1 also keeps a helper of the host's from being started for a dump; 0 doesn't (core(5), do_coredump).
      {RLIMIT_CORE, both(1)},
      {RLIMIT_NPROC, both(spec.max_processes)},
      {RLIMIT_NOFILE, both(spec.max_open_files)},
      {RLIMIT_FSIZE, {spec.max_file_bytes, std::max(spec.max_file_bytes, spec.most_file_bytes)}},
      {RLIMIT_MEMLOCK, both(0)},
      {RLIMIT_MSGQUEUE, both(0)},
      {RLIMIT_NICE, both(0)},
      {RLIMIT_RTPRIO, both(0)},
      {RLIMIT_STACK, both(rlim_t{8} << 20U)},
  }};
  for (const auto& [resource, limit] : limits) {
    if (::setrlimit(resource, &limit) < 0) return system_error("setrlimit " + std::to_string(resource));
  }
  return {};
}

Status pin_to(const std::vector<int>& processors) {
  if (processors.empty()) return {};
  cpu_set_t set;
  CPU_ZERO(&set);
  std::string names;
  for (const int processor : processors) {
    CPU_SET(static_cast<unsigned>(processor), &set);
    names += " " + std::to_string(processor);
  }
  if (::sched_setaffinity(0, sizeof set, &set) < 0) return system_error("run on processors" + names);
  return {};
}

Status become_guest_user(const JailSpec& spec) {
  constexpr auto kUnchanged = static_cast<uid_t>(-1);  // what setresuid(2) takes for "leave it"
  if (spec.uid == kUnchanged || spec.gid == kUnchanged)
    return Error(Kind::Invalid, "a guest's uid or gid is -1");
  if (spec.uid == 0 || spec.gid == 0) return Error(Kind::Invalid, "a guest never runs as uid or gid 0");
  UMLFARM_TRY(drop_capabilities());
  if (::setgroups(0, nullptr) < 0) return system_error("setgroups");
  if (::setresgid(spec.gid, spec.gid, spec.gid) < 0) return system_error("setresgid");
  if (::setresuid(spec.uid, spec.uid, spec.uid) < 0) return system_error("setresuid");
  UMLFARM_TRY(clear_capability_sets());
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return system_error("no_new_privs");
  return {};
}

}  // namespace umlfarm::guest
