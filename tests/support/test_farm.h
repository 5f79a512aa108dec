// A farm of a test's own: the real daemon under a temporary root, spoken to by the real command line. Its
// guests have users, an address pool and a network namespace that no other farm on this host has.
#pragma once

#include <gtest/gtest.h>

#include <boost/json/value.hpp>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/run_program.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/traces.h"

namespace umlfarm::testing {

// Kernels and images as tests/run built them. Fails the test, and says how to build them, where there are
// none.
std::string built_kernel(const std::string& flavour = "strict");
std::string built_image(const std::string& name);

class TestFarm {
 public:
  static constexpr unsigned kUids = 128;

  // Starts the daemon and takes in the kernel and the image "tiny". `config` is umlfarm.toml's text. The
  // daemon has the network of this test, or that of the namespace at `machine`.
  explicit TestFarm(const std::string& config = "", bool take_in = true, const std::string& machine = "");
  TestFarm(const TestFarm&) = delete;
  TestFarm& operator=(const TestFarm&) = delete;
  // Tears the farm down, and expects the host as it was before.
  ~TestFarm();

  std::string operator/(const std::string& path) const { return root_ / path; }
  const std::string& root() const { return root_.path(); }
  unsigned first_uid() const { return first_uid_; }
  std::string state(const std::string& path) const { return root_ / ("var/lib/umlfarm/" + path); }
  std::string run(const std::string& path) const { return root_ / ("run/umlfarm/" + path); }
  std::string netns() const { return run("netns"); }
  pid_t daemon() const { return daemon_; }
  std::string socket() const { return run("umlfarmd.sock"); }
  std::string public_key() const { return root_ / "key.pub"; }

  // What the next daemon reads.
  void configure(const std::string& config) const;
  // With a failpoint the daemon kills itself there. Returns once it serves, or has ended.
  void start_daemon(const std::string& failpoint = "");
  // By SIGKILL, or by SIGTERM.
  void kill_daemon();
  void end_daemon();
  // Waits until it has killed itself; false when it has not.
  bool daemon_died();
  std::string daemon_log() const;
  // One that is expected to refuse and end.
  Ran run_daemon(std::vector<std::string> more = {}) const;

  Ran umlfarm(std::vector<std::string> arguments) const;
  // The same, and it must succeed.
  std::string ok(std::vector<std::string> arguments) const;
  // With --json, parsed.
  boost::json::value json(std::vector<std::string> arguments) const;
  // A program as the kernel NAME that says of itself that it can do all that plans need.
  void add_kernel(const std::string& program, const std::string& name) const;
  // Of image and plan "tiny", unless `more` says otherwise.
  std::vector<std::string> create_arguments(const std::string& name,
                                            std::vector<std::string> more = {}) const;
  // Makes a guest of image and plan "tiny", which logs in with the test's key, unless `more` says otherwise.
  void create(const std::string& name, std::vector<std::string> more = {}) const;
  // Runs a command in a guest over ssh; its standard output.
  std::string in_guest(const std::string& name, const std::string& command) const;
  Ran ssh(const std::string& name, const std::string& command) const;

  std::string field(const std::string& guest, const char* key) const;
  std::int64_t number(const std::string& guest, const char* key) const;
  std::string id(const std::string& guest) const { return field(guest, "id"); }
  // Ready, from a start later than that. One look: two would see two moments.
  bool is_ready_again(const std::string& guest, std::int64_t started_ms) const;
  // Host process of the guest's kernel.
  pid_t kernel_of(const std::string& guest) const;

  // What is left of guests anywhere on the host, the ledger and the firewall included. Empty is good.
  Traces leftovers() const;

 private:
  std::vector<std::string> daemon_command() const;
  // To the test's own: the daemon's, and the ends of its guests' consoles.
  void show_logs() const;

  TemporaryDirectory root_;
  unsigned first_uid_;
  std::string machine_;
  Traces before_;
  pid_t daemon_ = -1;
};

// Whether the long tests are to be as long as they can be: tests/run --full.
bool in_full();

// A [[plan]] of a tiny guest with these lines beside.
std::string plan_of(const std::string& name, const std::string& lines);

// Until it holds, or most of a test's time has passed: then false.
bool eventually(const std::function<bool()>& holds, int seconds = 60);

}  // namespace umlfarm::testing
