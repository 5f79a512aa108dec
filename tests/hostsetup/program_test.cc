// The program itself, on a directory that stands for a machine: what it prints, its codes, and that it may be
// killed at any step.
#include <unistd.h>

#include <filesystem>
#include <map>

#include "provisioner/base/file_lock.h"
#include "provisioner/base/run_program.h"
#include "tests/hostsetup/fake_machine.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::hostsetup {
namespace {

using ::testing::HasSubstr;
using testing::is_ok;

namespace fs = std::filesystem;

class ProgramTest : public ::testing::Test {
 protected:
  ProgramTest() { spoil(host_); }

  // What apply can mend, of each sort that needs no other program.
  static void spoil(FakeMachine& host) {
    host.write("/proc/sys/kernel/yama/ptrace_scope", "2\n");
    host.write("/proc/sys/kernel/pid_max", "32768\n");
    host.write("/sys/kernel/mm/transparent_hugepage/enabled", "always\n");
    host.write("/etc/sysctl.d/99-umlfarm.conf", "# of somebody else\n");
    host.remove("/etc/tmpfiles.d");
    host.remove("/var/lib/umlfarm");
    // Nothing here can ask this machine's own services.
    host.write(kHostFile,
               "guests = 100\n[exceptions]\n\"services.daemon\" = \"a test\"\n\"services.time\" = \"a "
               "test\"\n\"uml.strict\" = \"a test\"\n\"uml.fast\" = \"a test\"\n");
  }

  static Finished run(const FakeMachine& host, const std::vector<std::string>& words,
                      const std::string& failpoint = {}) {
    std::vector<std::string> arguments{"env", "UMLFARM_FAILPOINT=" + failpoint, UMLFARM_PROGRAM, "--root",
                                       host.machine().root()};
    arguments.insert(arguments.end(), words.begin(), words.end());
    const auto finished = run_quietly(arguments);
    EXPECT_THAT(finished, is_ok());
    return finished.value_or(Finished{-1, ""});
  }
  Finished run(const std::vector<std::string>& words) const { return run(host_, words); }

  // All files and directories of the tree, with what stands there.
  static std::map<std::string, std::string> tree(const FakeMachine& host) {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(host.machine().root())) {
      const std::string path = entry.path().string().substr(host.machine().root().size());
      const Place place{entry.is_directory() ? Sort::Directory : Sort::File, path};
      // Settings end with a new line or not, as nobody minds.
      const bool setting = path.starts_with("/proc/sys/") || path.starts_with("/sys/");
      found[path] = setting && !entry.is_directory()
                        ? host.machine().setting(path).value_or("?")
                        : look(host.machine(), place).value_or("?").value_or("gone");
    }
    return found;
  }

  FakeMachine host_;
};

TEST_F(ProgramTest, LooksAtNamedChecksAlone) {
  const Finished one = run({"verify", "kernel.yama"});
  EXPECT_EQ(one.exit_code, 2);
  EXPECT_EQ(one.output.find("processes.numbers"), std::string::npos) << one.output;
  EXPECT_NE(one.output.find("kernel.yama"), std::string::npos) << one.output;
  EXPECT_EQ(run({"verify", "disk.barriers", "users"}).output, "all 3 checks hold\n");
  const Finished none = run({"verify", "disk.barrier"});
  EXPECT_EQ(none.exit_code, 4);
  EXPECT_NE(none.output.find("there is no check 'disk.barrier'"), std::string::npos) << none.output;
  EXPECT_EQ(run({"plan", "disk"}).exit_code, 64);
  EXPECT_EQ(run({"explain", "disk.room", "disk.quota"}).exit_code, 64);
}

TEST_F(ProgramTest, SetsUpAndTakesBack) {
  const auto before = tree(host_);
  EXPECT_EQ(run({"verify"}).exit_code, 2);
  EXPECT_EQ(tree(host_), before) << "verify changes nothing";
  const std::string plan = run({"plan"}).output;
  EXPECT_EQ(tree(host_), before) << "plan changes nothing";
  EXPECT_THAT(plan, HasSubstr("setting /proc/sys/kernel/yama/ptrace_scope\n- 2\n+ 1\n"));

  const Finished applied = run({"apply"});
  EXPECT_EQ(applied.exit_code, 0) << applied.output;
  EXPECT_THAT(applied.output, HasSubstr(plan)) << "what it does is what plan said";
  EXPECT_EQ(run({"verify"}).exit_code, 0);
  EXPECT_EQ(run({"plan"}).output, "nothing to change\n");
  const auto after = tree(host_);
  EXPECT_THAT(run({"apply"}).output, HasSubstr("0 of 0 changes made"));
  EXPECT_EQ(tree(host_), after);

  const Finished undone = run({"undo"});
  EXPECT_EQ(undone.exit_code, 0) << undone.output;
  EXPECT_EQ(tree(host_), before);
  EXPECT_THAT(run({"undo"}).output, HasSubstr("0 of 0 changes taken back"));
}

TEST_F(ProgramTest, MayBeKilledAtAnyStep) {
  const auto before = tree(host_);
  ASSERT_EQ(run({"apply"}).exit_code, 0);
  const auto after = tree(host_);
  int kills = 0;
  for (const char* moment : {"recorded", "done"}) {
    for (int step = 1;; ++step) {
      FakeMachine host;
      spoil(host);
      const std::string point = std::to_string(step) + ":" + moment;
      if (run(host, {"apply"}, point).exit_code == 0) break;
      ++kills;
      // Half way, it goes on,
      EXPECT_EQ(run(host, {"apply"}).exit_code, 0) << point;
      EXPECT_EQ(tree(host), after) << point;
      EXPECT_EQ(run(host, {"undo"}, point).exit_code == 0, false) << "undo is killed too at " << point;
      EXPECT_EQ(run(host, {"undo"}).exit_code, 0) << point;
      EXPECT_EQ(tree(host), before) << point;
      // or back.
      EXPECT_NE(run(host, {"apply"}, point).exit_code, 0);
      EXPECT_EQ(run(host, {"undo"}).exit_code, 0) << point;
      EXPECT_EQ(tree(host), before) << point;
    }
  }
  EXPECT_GE(kills, 12);
}

TEST_F(ProgramTest, KeepsGuestsFromLosingTheirHost) {
  ASSERT_EQ(run({"apply"}).exit_code, 0);
  host_.write("/var/lib/umlfarm/guests/g1/disk.cow", "x");
  const auto after = tree(host_);
  const Finished undone = run({"undo"});
  EXPECT_EQ(undone.exit_code, exit_code(Kind::Conflict));
  EXPECT_THAT(undone.output, HasSubstr("umlfarm delete"));
  EXPECT_EQ(tree(host_), after);
}

TEST_F(ProgramTest, LeavesTheFarmsState) {
  ASSERT_EQ(run({"apply"}).exit_code, 0);
  host_.write("/var/lib/umlfarm/state.db", "x");
  const Finished undone = run({"undo"});
  EXPECT_EQ(undone.exit_code, 0);
  EXPECT_THAT(undone.output, HasSubstr("left alone: directory /var/lib/umlfarm: it holds what is not ours"));
  EXPECT_TRUE(host_.machine().has("/var/lib/umlfarm/state.db"));
}

TEST_F(ProgramTest, RemovesTheFarmsStateWhenAsked) {
  ASSERT_EQ(run({"apply"}).exit_code, 0);
  host_.write("/var/lib/umlfarm/state.db", "x");
  {
    const auto daemon = FileLock::acquire(host_.machine().at("/var/lib/umlfarm/lock"));
    ASSERT_THAT(daemon, is_ok());
    EXPECT_EQ(run({"undo", "--purge"}).exit_code, exit_code(Kind::Conflict));
    EXPECT_TRUE(host_.machine().has("/var/lib/umlfarm/state.db"));
  }
  EXPECT_EQ(run({"undo", "--purge"}).exit_code, 0);
  EXPECT_FALSE(host_.machine().has("/var/lib/umlfarm"));
}

TEST_F(ProgramTest, RefusesBadInputAndChangesNothing) {
  const auto before = tree(host_);
  const struct {
    std::vector<std::string> words;
    int code;
    const char* says;
  } rows[] = {
      {{}, 64, "usage:"},
      {{"destroy"}, 64, "no verb 'destroy'"},
      {{"apply", "now"}, 64, "'now'"},
      {{"apply", "--fast"}, 64, "--fast"},
      {{"explain", "moon"}, 64, "no check 'moon'"},
      {{"apply", "--profile", "moon"}, exit_code(Kind::NotFound), "capacity, shell, vps"},
  };
  for (const auto& row : rows) {
    const Finished finished = run(row.words);
    EXPECT_EQ(finished.exit_code, row.code) << finished.output;
    EXPECT_THAT(finished.output, HasSubstr(row.says));
  }
  host_.write(kHostFile, "guests = many\n");
  EXPECT_EQ(run({"apply"}).exit_code, exit_code(Kind::Invalid));
  host_.write(kHostFile, "[exceptions]\nmoon = \"x\"\n");
  EXPECT_EQ(run({"apply"}).exit_code, exit_code(Kind::Invalid));
  host_.write(kHostFile, before.at(kHostFile).substr(before.at(kHostFile).find('\n') + 1));
  EXPECT_EQ(tree(host_), before);
}

TEST_F(ProgramTest, SpeaksJson) {
  EXPECT_THAT(run({"inspect", "--json"}).output, HasSubstr(R"("check":"kernel.yama","state":"fails")"));
  EXPECT_THAT(run({"plan", "--json"}).output,
              HasSubstr(R"("name":"/proc/sys/kernel/yama/ptrace_scope","is":"2","wanted":"1")"));
  EXPECT_EQ(run({"verify", "--json"}).exit_code, 2);
}

}  // namespace
}  // namespace umlfarm::hostsetup
