// umlfarm-libvirt URI DIRECTORY: prints what libvirt counts of this host, as JSON, and ends.
//
// A process of its own, because libvirt's embedded driver keeps threads for as long as its process lives, and
// refuses to work as root where the packages of a whole libvirt are not installed: there it runs as nobody,
// who owns DIRECTORY. Other URIs, such as qemu:///system, are opened by our own right.
#include <grp.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <boost/json.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace umlfarm::quota {
namespace {

namespace json = boost::json;

constexpr uid_t kNobody = 65534;
constexpr unsigned kMostSeconds = 10;
constexpr std::uint64_t kKib = 1024;
constexpr int kTurnMs = 20;

struct Close {
  void operator()(virConnect* connection) const { virConnectClose(connection); }
};
using Connection = std::unique_ptr<virConnect, Close>;

// The embedded driver waits for events that somebody must fetch.
class EventLoop {
 public:
  EventLoop() {
    virEventRegisterDefaultImpl();
    // It returns when something happens, and this does.
    virEventAddTimeout(
        kTurnMs, [](int, void*) {}, nullptr, nullptr);
    thread_ = std::thread([this] {
      while (!ended_) virEventRunDefaultImpl();
    });
  }
  ~EventLoop() {
    ended_ = true;
    thread_.join();
  }
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

 private:
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

bool become_nobody(const std::string& directory) {
  if ((::mkdir(directory.c_str(), 0700) < 0 && errno != EEXIST) ||
      ::chown(directory.c_str(), kNobody, kNobody) < 0) {
    return false;
  }
  if (::geteuid() == 0 && (::setgroups(0, nullptr) < 0 || ::setgid(kNobody) < 0 || ::setuid(kNobody) < 0))
    return false;
  for (const char* const name : {"HOME", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME"})
    ::setenv(name, directory.c_str(), 1);
  // It would start every QEMU that it finds, to ask what that can do.
  return ::setenv("PATH", "/nonexistent", 1) == 0;
}

// In bytes; nothing where the driver keeps no such figures.
json::object memory_of(virConnect* connection, int cell) {
  int count = 0;
  if (virNodeGetMemoryStats(connection, cell, nullptr, &count, 0) < 0) return {};
  std::vector<virNodeMemoryStats> stats(static_cast<std::size_t>(count));
  if (virNodeGetMemoryStats(connection, cell, stats.data(), &count, 0) < 0) return {};
  json::object figures;
  for (const virNodeMemoryStats& each : stats) figures[std::string_view(&each.field[0])] = each.value * kKib;
  return figures;
}

// Of domains that run, by what they may use at most. None where libvirt does not say: no figure is better
// than too small a one.
std::optional<json::object> domains_of(virConnect* connection) {
  virDomainPtr* domains = nullptr;
  const int count = virConnectListAllDomains(connection, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
  if (count < 0) return {};
  bool known = true;
  std::uint64_t memory = 0;
  for (int i = 0; i < count; ++i) {
    virDomainInfo info{};
    // One that has ended meanwhile is no longer there to be asked.
    if (virDomainGetInfo(domains[i], &info) == 0) {
      memory += info.maxMem * kKib;
    } else {
      known = known && virDomainIsActive(domains[i]) != 1;
    }
    virDomainFree(domains[i]);
  }
  std::free(domains);  // NOLINT: libvirt has it from malloc
  if (!known) return {};
  return json::object{{"count", count}, {"memory", memory}};
}

int report(const std::string& uri) {
  const EventLoop loop;
  const Connection connection(virConnectOpen(uri.c_str()));
  virNodeInfo node{};
  if (!connection || virNodeGetInfo(connection.get(), &node) < 0) {
    std::cerr << virGetLastErrorMessage() << "\n";
    return 1;
  }
  const std::optional<json::object> domains = domains_of(connection.get());
  if (!domains) {
    std::cerr << virGetLastErrorMessage() << "\n";
    return 1;
  }
  json::array cells;
  for (unsigned cell = 0; cell < node.nodes; ++cell) {
    cells.push_back(memory_of(connection.get(), static_cast<int>(cell)));
  }
  std::cout << json::object{{"memory", memory_of(connection.get(), VIR_NODE_MEMORY_STATS_ALL_CELLS)},
                            {"processors", node.cpus},
                            {"cells", cells},
                            {"domains", *domains}}
            << std::endl;
  return 0;
}

}  // namespace
}  // namespace umlfarm::quota

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: umlfarm-libvirt URI DIRECTORY\n";
    return 2;
  }
  // Whoever waits for us must not wait for a libvirt that hangs.
  ::alarm(umlfarm::quota::kMostSeconds);
  virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
  std::string uri = argv[1];
  if (uri == "qemu:///embed") {
    if (!umlfarm::quota::become_nobody(argv[2])) {
      std::cerr << "cannot become nobody in " << argv[2] << "\n";
      return 1;
    }
    uri += std::string("?root=") + argv[2];
  }
  // Who asked may have gone; a change of user forgets what was set before.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  return umlfarm::quota::report(uri);
}
