#include "tests/guest/kernel/kernel_fixture.h"

#include <chrono>
#include <thread>

namespace umlfarm::testing {
namespace {

bool is_traced(const std::string& pid) {
  const auto status = posix::read_file("/proc/" + pid + "/status");
  return status && status->find("TracerPid:\t0\n") == std::string::npos;
}

}  // namespace

std::string Kernel::said_in_the_guest(const std::string& arguments) const {
  const std::string tar = farm_ / "program.tar";
  const Ran packed = run_program({"tar", "-C", std::string(UMLFARM_BUILD_DIRECTORY) + "/tests/guest/kernel",
                                  "-cf", tar, "umlfarm_in_guest"});
  EXPECT_EQ(packed.code, 0) << packed.err;
  create({"--disk", tar + ":ro"});
  return farm_.in_guest("alice", "tar -xf /dev/ubdd -C /root && /root/umlfarm_in_guest " + arguments);
}

std::set<std::string> Kernel::untraced() const {
  const std::string mac = "mac=" + farm_.field("alice", "mac");
  std::set<std::string> pids;
  for (const std::string& process : processes_of(farm_.first_uid(), TestFarm::kUids)) {
    const std::string pid = std::to_string(std::stoi(process));
    if (process.find(mac) != std::string::npos && !is_traced(pid)) pids.insert(pid);
  }
  return pids;
}

pid_t Kernel::trace_the_kernel(const std::vector<std::string>& options, const std::string& log) const {
  std::vector<std::string> command{"strace", "-y", "-e", "signal=none"};
  command.insert(command.end(), options.begin(), options.end());
  const std::size_t none = command.size();
  // Each thread by itself, and none that is to come: stubs are traced by the kernel, a moment after they
  // begin.
  const std::set<std::string> before = untraced();
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  for (const std::string& pid : untraced()) {
    const auto threads = posix::list_directory("/proc/" + pid + "/task");
    if (!before.contains(pid) || !threads) continue;
    for (const std::string& thread : *threads) command.insert(command.end(), {"-p", thread});
  }
  EXPECT_GT(command.size(), none);
  const pid_t strace = start_program(command, log);
  EXPECT_TRUE(eventually(
      [&] { return posix::read_file(log).value_or("").find("attached") != std::string::npos; }, 20));
  return strace;
}

}  // namespace umlfarm::testing
