#include "tests/support/test_farm.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace umlfarm::testing {

namespace json = boost::json;

namespace {

std::string from_environment(const std::string& variable) {
  const char* const value = std::getenv(variable.c_str());
  if (value != nullptr && posix::exists(value)) return value;
  ADD_FAILURE() << variable << " names no directory; run the tests by 'sudo tests/run'";
  return "";
}

std::string program(const char* path) { return std::string(UMLFARM_BUILD_DIRECTORY) + "/" + path; }

}  // namespace

std::string built_kernel(const std::string& flavour) {
  return from_environment(flavour == "strict" ? "UMLFARM_TEST_KERNEL" : "UMLFARM_TEST_KERNEL_FAST");
}

std::string built_image(const std::string& name) {
  return from_environment(name == "tiny" ? "UMLFARM_TEST_IMAGE_TINY" : "UMLFARM_TEST_IMAGE_DEBIAN");
}

std::string plan_of(const std::string& name, const std::string& lines) {
  return "[[plan]]\nname = '" + name + "'\nmemory = '32M'\ndisk = '1G'\n" + lines + "\n";
}

bool in_full() {
  const char* const full = std::getenv("UMLFARM_TEST_FULL");
  return full != nullptr && *full != '\0';
}

bool eventually(const std::function<bool()>& holds, int seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (std::chrono::steady_clock::now() < end) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return holds();
}

namespace {

// What is given, with users of this test's own unless it names some.
std::string with_users(std::string config, unsigned first, unsigned count) {
  if (config.find("[guests]") == std::string::npos) config += "\n[guests]\n";
  std::string users;
  if (config.find("first_uid") == std::string::npos) users += "first_uid = " + std::to_string(first) + "\n";
  if (config.find("\nuids") == std::string::npos) users += "uids = " + std::to_string(count) + "\n";
  // Ports are for one farm on a machine.
  if (config.find("[metrics]") == std::string::npos) config += "\n[metrics]\nlisten = \"\"\n";
  const std::size_t after = config.find("[guests]\n") + std::string_view("[guests]\n").size();
  return config.insert(after, users);
}

}  // namespace

TestFarm::TestFarm(const std::string& config, bool take_in, const std::string& machine)
    : first_uid_(3'000'000 + static_cast<unsigned>(::getpid()) * kUids),
      machine_(machine),
      before_(traces(root_.path(), first_uid_, kUids)) {
  // Guests' users must reach their files in it.
  ::chmod(root_.path().c_str(), 0711);
  EXPECT_TRUE(posix::make_directories(root_ / "etc/umlfarm", 0755));
  configure(config);
  const Ran key = run_program({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", root_ / "key"});
  EXPECT_EQ(key.code, 0) << key.err;
  start_daemon();
  if (!take_in) return;
  ok({"kernel", "add", built_kernel()});
  ok({"image", "add", built_image("tiny")});
}

TestFarm::~TestFarm() {
  if (daemon_ > 0) end_daemon();
  if (::testing::Test::HasFailure()) show_logs();
  const Ran down = run_daemon({"--tear-down"});
  EXPECT_EQ(down.code, 0) << down.err;
  EXPECT_EQ(traces(root(), first_uid_, kUids), before_) << "after the farm was torn down";
}

void TestFarm::show_logs() const {
  std::cerr << "the daemon's log:\n" << daemon_log();
  std::error_code none;
  for (const auto& guest : std::filesystem::directory_iterator(state("guests"), none)) {
    constexpr std::size_t kAPanicAndItsBoot = 16'384;
    const auto console = posix::read_file(guest.path().string() + "/console.log");
    if (!console) continue;
    std::cerr << "the end of " << guest.path().filename() << "'s console log:\n"
              << console->substr(console->size() - std::min(console->size(), kAPanicAndItsBoot));
  }
}

void TestFarm::configure(const std::string& config) const {
  std::ofstream(root_ / "etc/umlfarm/umlfarm.toml") << with_users(config, first_uid_, kUids);
}

std::vector<std::string> TestFarm::daemon_command() const {
  std::vector<std::string> command{program("provisioner/daemon/umlfarmd"), "--root", root(), "--supervisor",
                                   program("guest/supervisor/umlfarm-supervisor")};
  if (!machine_.empty()) command.insert(command.begin(), {"nsenter", "--net=" + machine_});
  return command;
}

Ran TestFarm::run_daemon(std::vector<std::string> more) const {
  std::vector<std::string> command = daemon_command();
  command.insert(command.end(), more.begin(), more.end());
  return run_program(command);
}

std::string TestFarm::daemon_log() const { return posix::read_file(root_ / "daemon.log").value(); }

void TestFarm::start_daemon(const std::string& failpoint) {
  EXPECT_EQ(daemon_, -1) << "the daemon runs already";
  // A leftover of a killed daemon must not count as the new one's.
  ::unlink(socket().c_str());
  Environment environment;
  if (!failpoint.empty()) environment.push_back("UMLFARM_FAILPOINT=" + failpoint);
  daemon_ = start_program(daemon_command(), root_ / "daemon.log", environment);
  const bool up = eventually([&] {
    if (umlfarm({"status"}).code == 0) return true;
    siginfo_t ended{};
    return ::waitid(P_PID, static_cast<id_t>(daemon_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ended.si_pid == daemon_;
  });
  EXPECT_TRUE(up) << "the daemon neither serves nor ends:\n" << daemon_log();
}

void TestFarm::kill_daemon() {
  ::kill(daemon_, SIGKILL);
  wait_for_end(daemon_);
  daemon_ = -1;
}

void TestFarm::end_daemon() {
  ::kill(daemon_, SIGTERM);
  const int status = wait_for_end(daemon_);
  daemon_ = -1;
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "umlfarmd ended with " << status;
}

bool TestFarm::daemon_died() {
  int status = 0;
  if (!eventually([&] { return ::waitpid(daemon_, &status, WNOHANG) == daemon_; }, 20)) return false;
  daemon_ = -1;
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

Ran TestFarm::umlfarm(std::vector<std::string> arguments) const {
  // A guest that hangs would hang its test, too.
  arguments.insert(arguments.begin(), {"timeout", "--foreground", "300", program("provisioner/cli/umlfarm"),
                                       "--socket", socket()});
  // No file of the user's, not even a key.
  return run_program(std::move(arguments), {"HOME=" + root(), "SUDO_USER="});
}

std::string TestFarm::ok(std::vector<std::string> arguments) const {
  std::string words;
  for (const std::string& argument : arguments) words += " " + argument;
  const Ran ran = umlfarm(std::move(arguments));
  EXPECT_EQ(ran.code, 0) << "umlfarm" << words << "\n" << ran.err;
  return ran.out;
}

json::value TestFarm::json(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), "--json");
  boost::system::error_code error;
  const std::string text = ok(std::move(arguments));
  json::value value = json::parse(text, error);
  EXPECT_FALSE(error) << text;
  return value;
}

void TestFarm::add_kernel(const std::string& program, const std::string& name) const {
  const TemporaryDirectory directory;
  EXPECT_EQ(run_program({"cp", program, directory / "linux"}).code, 0) << program;
  std::ofstream(directory / "manifest.json")
      << R"({"features": {"processors": 1, "durable_disks": true, "tap_offload": true}})";
  ok({"kernel", "add", directory.path(), "--name", name});
}

std::vector<std::string> TestFarm::create_arguments(const std::string& name,
                                                    std::vector<std::string> more) const {
  std::vector<std::string> arguments{"create", name, "--ssh-key", public_key()};
  const auto given = [&](const char* option) {
    return std::find(more.begin(), more.end(), option) != more.end();
  };
  if (!given("--image")) arguments.insert(arguments.end(), {"--image", "tiny"});
  if (!given("--plan")) arguments.insert(arguments.end(), {"--plan", "tiny"});
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

void TestFarm::create(const std::string& name, std::vector<std::string> more) const {
  ok(create_arguments(name, std::move(more)));
}

Ran TestFarm::ssh(const std::string& name, const std::string& command) const {
  return umlfarm({"ssh", "-i", root_ / "key", name, "--", command});
}

std::string TestFarm::in_guest(const std::string& name, const std::string& command) const {
  const Ran ran = ssh(name, command);
  EXPECT_EQ(ran.code, 0) << command << " in " << name << ": " << ran.err;
  return ran.out;
}

std::string TestFarm::field(const std::string& guest, const char* key) const {
  return json::value_to<std::string>(json({"show", guest}).at(key));
}

std::int64_t TestFarm::number(const std::string& guest, const char* key) const {
  return json({"show", guest}).at(key).to_number<std::int64_t>();
}

bool TestFarm::is_ready_again(const std::string& guest, std::int64_t started_ms) const {
  const json::value shown = json({"show", guest});
  return shown.at("state") == "ready" && shown.at("started_ms").to_number<std::int64_t>() > started_ms;
}

pid_t TestFarm::kernel_of(const std::string& guest) const {
  const std::string mac = field(guest, "mac");
  for (const std::string& process : processes_of(first_uid_, kUids)) {
    // Its stubs and threads show the same command line: the first of them is the kernel itself.
    if (process.find("mac=" + mac) == std::string::npos) continue;
    pid_t least = std::stoi(process);
    for (const std::string& other : processes_of(first_uid_, kUids)) {
      if (other.find("mac=" + mac) != std::string::npos) least = std::min(least, std::stoi(other));
    }
    return least;
  }
  ADD_FAILURE() << "no process of " << guest;
  return -1;
}

Traces TestFarm::leftovers() const {
  Traces found;
  for (const std::string& process : processes_of(first_uid_, kUids)) found.insert("process " + process);
  for (const char* directory : {"guests", "jails"}) {
    for (const std::string& file : files_below(run(directory))) found.insert("file " + file);
  }
  for (const std::string& file : files_below(state("guests"))) found.insert("file " + file);
  for (const std::string& trace : traces(root(), first_uid_, kUids)) {
    // The daemon, and what it has started to ask for a moment.
    const bool daemons =
        trace.find("umlfarmd") != std::string::npos || trace.find("umlfarm-libvirt") != std::string::npos;
    if (before_.contains(trace) || daemons) continue;
    if (trace.starts_with("mount") && trace.find(netns()) != std::string::npos) continue;
    // The farm's own control groups stay; a guest's lie below them.
    if (trace.starts_with("control group")) {
      for (const std::string& below : files_below(trace.substr(std::string("control group ").size()))) {
        if (below.find("/g") != std::string::npos && posix::exists(below + "/cgroup.procs"))
          found.insert("control group " + below);
      }
      continue;
    }
    found.insert(trace);
  }
  const Ran taps = run_program({"nsenter", "--net=" + netns(), "ip", "-o", "link"});
  EXPECT_EQ(taps.code, 0) << taps.err;
  if (taps.out.find(" tg") != std::string::npos) found.insert("tap in " + taps.out);
  const Ran rules = run_program({"nsenter", "--net=" + netns(), "nft", "list", "ruleset"});
  EXPECT_EQ(rules.code, 0) << rules.err;
  if (rules.out.find("elements") != std::string::npos) found.insert("firewall entry in " + rules.out);
  const json::value status = json({"status"});
  for (const char* resource : {"memory", "disk"}) {
    if (status.at(resource).at("promised").to_number<std::int64_t>() != 0)
      found.insert(std::string("ledger entry for ") + resource);
  }
  if (!status.at("guests").as_object().empty()) found.insert("guest " + json::serialize(status.at("guests")));
  return found;
}

}  // namespace umlfarm::testing
