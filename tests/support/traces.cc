#include "tests/support/traces.h"

#include <net/if.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

#include "provisioner/base/posix.h"

namespace umlfarm::testing {
namespace {

namespace fs = std::filesystem;

bool is_number(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// It holds nothing, and goes when its parent looks.
bool is_zombie(const std::string& pid) {
  const auto stat = posix::read_file("/proc/" + pid + "/stat");
  return !stat || stat->find(") Z ") != std::string::npos;
}

// Calls `see` with each process's id and command line. Those that end meanwhile are left out.
template <typename See>
void each_process(See see) {
  const std::vector<std::string> names = posix::list_directory("/proc").value();
  for (const std::string& pid : names) {
    if (!is_number(pid)) continue;
    auto command = posix::read_file("/proc/" + pid + "/cmdline");
    if (!command || is_zombie(pid)) continue;
    std::replace(command->begin(), command->end(), '\0', ' ');
    see(pid, *command);
  }
}

// /proc/PID belongs to root where tracing is not allowed; what it runs as stands in its status.
unsigned user_of(const std::string& pid) {
  std::ifstream status("/proc/" + pid + "/status");
  std::string word;
  while (status >> word) {
    if (word == "Uid:") {
      unsigned uid = 0;
      status >> uid;
      return uid;
    }
  }
  return 0;
}

}  // namespace

Traces processes_of(unsigned first_uid, unsigned uids) {
  Traces found;
  each_process([&](const std::string& pid, const std::string& command) {
    const unsigned uid = user_of(pid);
    if (uid >= first_uid && uid < first_uid + uids) found.insert(pid + " " + command);
  });
  return found;
}

Traces traces(const std::string& root, unsigned first_uid, unsigned uids) {
  Traces found;
  for (const std::string& process : processes_of(first_uid, uids)) found.insert("process " + process);
  each_process([&](const std::string& pid, const std::string& command) {
    if (command.find(root + "/") != std::string::npos) found.insert("process " + pid + " " + command);
  });
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    if (line.find(root) != std::string::npos) found.insert("mount " + line);
  }
  for (auto entry = fs::recursive_directory_iterator("/sys/fs/cgroup");
       entry != fs::recursive_directory_iterator(); ++entry) {
    if (entry->path().filename().string().starts_with("umlfarm-"))
      found.insert("control group " + entry->path().string());
    if (entry.depth() >= 2) entry.disable_recursion_pending();
  }
  const std::unique_ptr<struct if_nameindex, void (*)(struct if_nameindex*)> devices(::if_nameindex(),
                                                                                     ::if_freenameindex);
  for (auto* device = devices.get(); device->if_index != 0; ++device) {
    found.insert(std::string("network device ") + device->if_name);
  }
  return found;
}

Traces files_below(const std::string& directory) {
  Traces found;
  std::error_code error;
  for (auto entry = fs::recursive_directory_iterator(directory, error);
       entry != fs::recursive_directory_iterator(); ++entry) {
    found.insert(entry->path().string());
  }
  return found;
}

}  // namespace umlfarm::testing
