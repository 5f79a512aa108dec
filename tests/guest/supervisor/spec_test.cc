#include "guest/supervisor/spec.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/result_matchers.h"

namespace umlfarm::guest {
namespace {

using testing::is_error;
using testing::is_ok;
using Arguments = std::vector<std::string>;

SupervisorSpec full() {
  SupervisorSpec spec;
  spec.jail.id = "g17";
  spec.jail.root = "/run/umlfarm/jails/g17";
  spec.jail.kernel = "/var/lib/umlfarm/kernels/ab/linux";
  spec.jail.arguments = {"mem=64M", "--", "--id", "", "a b", "umid=g"};
  spec.jail.files = {{"/var/lib/umlfarm/guests/g17/disk.cow", "/disks/root.cow", true},
                     {"/images/root.img", "/disks/base.img", false},
                     {"/lib/libc.so.6", "/lib/libc.so.6", false, true},
                     {"/odd/a=b:ro/c:rw", "/disks/extra0", false},
                     {"/odd/spaces in it", "/disks/extra1", true}};
  spec.jail.memory_bytes = 70'000'000'000;
  spec.jail.uid = 100'017;
  spec.jail.gid = 100'018;
  spec.jail.processors = {3, 0};
  spec.jail.seccomp_userspace = true;
  spec.jail.cgroups = {"/sys/fs/cgroup/umlfarm/g17", "/sys/fs/cgroup/cpu/umlfarm/g17"};
  spec.jail.max_processes = 300;
  spec.jail.max_open_files = 400;
  spec.jail.max_file_bytes = 80'000'000'000;
  spec.jail.most_file_bytes = 90'000'000'000;
  spec.run_directory = "/run/umlfarm/guests/g17";
  spec.log_file = "/var/lib/umlfarm/guests/g17/console.log";
  spec.exit_file = "/var/lib/umlfarm/guests/g17/exit.json";
  spec.ready_text = "umlfarm-ready";
  spec.tap = 3;
  spec.lock = 4;
  spec.launched = 5;
  return spec;
}

// The same arguments with an option's value exchanged.
Arguments with(const std::string& option, const std::string& value) {
  Arguments arguments = to_arguments(full());
  const auto at = std::find(arguments.begin(), arguments.end(), option);
  EXPECT_NE(at, arguments.end()) << option;
  *(at + 1) = value;
  return arguments;
}

Arguments without(const std::string& option) {
  Arguments arguments = to_arguments(full());
  const auto at = std::find(arguments.begin(), arguments.end(), option);
  EXPECT_NE(at, arguments.end()) << option;
  arguments.erase(at, at + 2);
  return arguments;
}

void expect_same(const SupervisorSpec& a, const SupervisorSpec& b) {
  EXPECT_EQ(a.jail.id, b.jail.id);
  EXPECT_EQ(a.jail.root, b.jail.root);
  EXPECT_EQ(a.jail.kernel, b.jail.kernel);
  EXPECT_EQ(a.jail.arguments, b.jail.arguments);
  ASSERT_EQ(a.jail.files.size(), b.jail.files.size());
  for (std::size_t i = 0; i < a.jail.files.size(); ++i) {
    EXPECT_EQ(a.jail.files[i].host, b.jail.files[i].host);
    EXPECT_EQ(a.jail.files[i].inside, b.jail.files[i].inside);
    EXPECT_EQ(a.jail.files[i].writable, b.jail.files[i].writable);
    EXPECT_EQ(a.jail.files[i].executable, b.jail.files[i].executable);
  }
  EXPECT_EQ(a.jail.memory_bytes, b.jail.memory_bytes);
  EXPECT_EQ(a.jail.uid, b.jail.uid);
  EXPECT_EQ(a.jail.gid, b.jail.gid);
  EXPECT_EQ(a.jail.processors, b.jail.processors);
  EXPECT_EQ(a.jail.seccomp_userspace, b.jail.seccomp_userspace);
  EXPECT_EQ(a.jail.cgroups, b.jail.cgroups);
  EXPECT_EQ(a.jail.max_processes, b.jail.max_processes);
  EXPECT_EQ(a.jail.max_open_files, b.jail.max_open_files);
  EXPECT_EQ(a.jail.max_file_bytes, b.jail.max_file_bytes);
  EXPECT_EQ(a.jail.most_file_bytes, b.jail.most_file_bytes);
  EXPECT_EQ(a.run_directory, b.run_directory);
  EXPECT_EQ(a.log_file, b.log_file);
  EXPECT_EQ(a.exit_file, b.exit_file);
  EXPECT_EQ(a.ready_text, b.ready_text);
  EXPECT_EQ(a.tap, b.tap);
  EXPECT_EQ(a.lock, b.lock);
  EXPECT_EQ(a.launched, b.launched);
}

TEST(SupervisorSpec, ReadsWhatItWrites) {
  const auto read = parse_arguments(to_arguments(full()));
  ASSERT_THAT(read, is_ok());
  expect_same(*read, full());
}

TEST(SupervisorSpec, ReadsAGuestWithTheLeast) {
  SupervisorSpec least = full();
  least.jail.arguments.clear();
  least.jail.files.clear();
  least.jail.cgroups.clear();
  least.jail.processors.clear();
  least.jail.seccomp_userspace = false;
  least.ready_text.clear();
  least.tap = -1;
  least.launched = -1;
  const auto read = parse_arguments(to_arguments(least));
  ASSERT_THAT(read, is_ok());
  expect_same(*read, least);
}

TEST(SupervisorSpec, LeavesWhatIsNotGivenAtItsDefault) {
  for (const char* option :
       {"--processors", "--userspace", "--max-processes", "--max-open-files", "--tap-fd", "--launched-fd"}) {
    const auto read = parse_arguments(without(option));
    ASSERT_THAT(read, is_ok()) << option;
  }
  EXPECT_EQ(parse_arguments(without("--tap-fd"))->tap, -1);
  EXPECT_TRUE(parse_arguments(without("--processors"))->jail.processors.empty());
  EXPECT_FALSE(parse_arguments(without("--userspace"))->jail.seccomp_userspace);
}

TEST(SupervisorSpec, RefusesToBeWithoutWhatEveryGuestNeeds) {
  for (const char* option :
       {"--id", "--jail", "--kernel", "--run", "--log", "--exit-file", "--lock-fd", "--memory"}) {
    EXPECT_THAT(parse_arguments(without(option)), is_error(Kind::Invalid, option));
  }
  for (const char* option : {"--id", "--jail", "--kernel", "--run", "--log", "--exit-file"}) {
    EXPECT_THAT(parse_arguments(with(option, "")), is_error(Kind::Invalid, option));
  }
  EXPECT_THAT(parse_arguments(with("--lock-fd", "-1")), is_error(Kind::Invalid, "--lock-fd"));
  EXPECT_THAT(parse_arguments(with("--memory", "0")), is_error(Kind::Invalid, "--memory"));
  EXPECT_THAT(parse_arguments({}), is_error(Kind::Invalid, "missing"));
}

TEST(SupervisorSpec, RefusesProcessorsThatAreNoList) {
  for (const char* wrong : {",", "1,", ",1", "1,,2", "1 2", "x", "99999999999"})
    EXPECT_THAT(parse_arguments(with("--processors", wrong)), is_error(Kind::Invalid, wrong)) << wrong;
  EXPECT_THAT(parse_arguments(with("--userspace", "tt")), is_error(Kind::Invalid, "'tt'"));
}

TEST(SupervisorSpec, NeverRunsAGuestAsRoot) {
  for (const char* option : {"--uid", "--gid"}) {
    EXPECT_THAT(parse_arguments(with(option, "0")), is_error(Kind::Invalid, option));
    EXPECT_THAT(parse_arguments(without(option)), is_error(Kind::Invalid, option));
    EXPECT_THAT(parse_arguments(with(option, "-1")), is_error(Kind::Invalid, option));
    EXPECT_THAT(parse_arguments(with(option, "4294967296")), is_error(Kind::Invalid, option));
  }
}

TEST(SupervisorSpec, RefusesWhatIsNoNumber) {
  for (const char* option : {"--memory", "--uid", "--gid", "--max-processes", "--max-open-files",
                             "--max-file-bytes", "--tap-fd", "--lock-fd", "--launched-fd"}) {
    for (const char* value : {"", "x", "1x", " 1", "1 ", "+1", "1.0", "99999999999999999999"}) {
      EXPECT_THAT(parse_arguments(with(option, value)), is_error(Kind::Invalid, option)) << value;
    }
  }
}

TEST(SupervisorSpec, RefusesAFileThatSaysNotWhereOrHow) {
  for (const char* value : {"", "/a", "/a=/b", "/a=/b:", "/a=/b:rwx", "/a=/b:x", "/a=/b:RO", "/a:ro", ":ro",
                            "/a=/b:ro ", "/a:ro=/b"}) {
    EXPECT_THAT(parse_arguments(with("--file", value)), is_error(Kind::Invalid, "--file")) << value;
  }
}

TEST(SupervisorSpec, RefusesOptionsThatItDoesNotKnow) {
  EXPECT_THAT(parse_arguments({"--shell", "/bin/sh"}), is_error(Kind::Invalid, "--shell"));
  EXPECT_THAT(parse_arguments({"--id=g17"}), is_error(Kind::Invalid, "--id=g17"));
  EXPECT_THAT(parse_arguments({"g17"}), is_error(Kind::Invalid, "g17"));
  EXPECT_THAT(parse_arguments({"--id", "g17", "--jail"}), is_error(Kind::Invalid, "--jail"));
}

}  // namespace
}  // namespace umlfarm::guest
