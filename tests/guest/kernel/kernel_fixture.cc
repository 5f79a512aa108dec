#include "tests/guest/kernel/kernel_fixture.h"

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

pid_t Kernel::trace_the_kernel(const std::vector<std::string>& options, const std::string& log) const {
  const std::string mac = "mac=" + farm_.field("alice", "mac");
  std::vector<std::string> command{"strace", "-y", "-e", "signal=none"};
  command.insert(command.end(), options.begin(), options.end());
  const std::size_t none = command.size();
  // Each thread by itself, and none that is to come: stubs are traced by the kernel.
  for (const std::string& process : processes_of(farm_.first_uid(), TestFarm::kUids)) {
    const std::string pid = std::to_string(std::stoi(process));
    if (process.find(mac) == std::string::npos || is_traced(pid)) continue;
    const auto threads = posix::list_directory("/proc/" + pid + "/task");
    EXPECT_TRUE(threads);
    for (const std::string& thread : threads.value_or(std::vector<std::string>()))
      command.insert(command.end(), {"-p", thread});
  }
  EXPECT_GT(command.size(), none);
  const pid_t strace = start_program(command, log);
  EXPECT_TRUE(eventually(
      [&] { return posix::read_file(log).value_or("").find("attached") != std::string::npos; }, 20));
  return strace;
}

}  // namespace umlfarm::testing
