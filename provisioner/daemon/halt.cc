#include "provisioner/daemon/halt.h"

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "provisioner/base/posix.h"
#include "provisioner/daemon/launcher.h"
#include "provisioner/daemon/supervisor_client.h"

namespace umlfarm::daemon {
namespace {

constexpr const char* kStop = "stop 20000";
constexpr int kAnswerMs = 5000;
constexpr int kLooks = 400;  // ten a second: the guest's patience, and as long again to sync and halt

}  // namespace

Status halt_guests(const Paths& paths) {
  if (!posix::exists(paths.guest_runs())) return {};
  UMLFARM_ASSIGN(const std::vector<std::string> ids, posix::list_directory(paths.guest_runs()));
  for (const std::string& id : ids) {
    // One that hangs or ends just now is seen below.
    (void)!ask_supervisor(paths.supervisor_socket(id), kStop, kAnswerMs);
  }
  std::string up;
  for (int look = 0; look < kLooks; ++look) {
    up.clear();
    for (const std::string& id : ids) {
      if (supervisor_holds(paths.guest_run(id))) up += " " + id;
    }
    if (up.empty()) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return Error(Kind::Timeout, "guests that did not end:" + up);
}

}  // namespace umlfarm::daemon
