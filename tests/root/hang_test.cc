// What hangs, and what takes more than its share, is dealt with, and nobody else waits for it.
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstring>

#include "tests/support/test_farm.h"

namespace umlfarm::testing {
namespace {

constexpr const char* kNobody = "65534";

pid_t supervisor_of(const TestFarm& farm) {
  for (const std::string& trace : traces(farm.root(), farm.first_uid(), TestFarm::kUids)) {
    if (trace.find(" umlfarm-supervisor") != std::string::npos)
      return std::stoi(trace.substr(trace.find(' ') + 1));
  }
  ADD_FAILURE() << "no supervisor runs";
  return -1;
}

TEST(Hang, OfASupervisorKeepsNoGuestFromBeingDeleted) {
  const TestFarm farm;
  farm.create("alice");
  ASSERT_EQ(::kill(supervisor_of(farm), SIGSTOP), 0);
  farm.ok({"status"});
  farm.ok({"delete", "alice"});
  EXPECT_EQ(farm.leftovers(), Traces());
}

TEST(Hang, OfASupervisorKeepsNobodyElseWaiting) {
  const TestFarm farm;
  farm.create("lab", {"--count", "2"});
  const pid_t hanging = supervisor_of(farm);
  ASSERT_EQ(::kill(hanging, SIGSTOP), 0);
  // More than its backlog and than the daemon has threads.
  std::vector<pid_t> asking;
  for (int i = 0; i < 40; ++i) {
    asking.push_back(
        start_program({"timeout", "60", std::string(UMLFARM_BUILD_DIRECTORY) + "/provisioner/cli/umlfarm",
                       "--socket", farm.socket(), "mconsole", i % 2 == 0 ? "lab-1" : "lab-2", "version"},
                      farm / "asking.log"));
  }
  EXPECT_TRUE(eventually([&] { return farm.umlfarm({"status"}).code == 0; }));
  for (const pid_t pid : asking) wait_for_end(pid);
  ASSERT_EQ(::kill(hanging, SIGCONT), 0);
  for (const char* name : {"lab-1", "lab-2"}) {
    EXPECT_TRUE(eventually([&] { return farm.umlfarm({"mconsole", name, "version"}).code == 0; })) << name;
  }
}

// Idle connections by a user who has no business here, from a process of its own.
class Stranger {
 public:
  explicit Stranger(const std::string& socket) {
    int ends[2];
    if (::pipe(ends) < 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      if (::setgid(65534) < 0 || ::setuid(65534) < 0) ::_exit(1);
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      std::memcpy(address.sun_path, socket.data(), socket.size());
      for (int i = 0; i < 1000; ++i) {
        const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
      }
      (void)!::write(ends[1], "!", 1);
      ::pause();
      ::_exit(0);
    }
    char byte;
    EXPECT_EQ(::read(ends[0], &byte, 1), 1);
    ::close(ends[0]);
    ::close(ends[1]);
  }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;
  ~Stranger() {
    ::kill(pid_, SIGKILL);
    wait_for_end(pid_);
  }

 private:
  pid_t pid_;
};

Ran as_nobody(const TestFarm& farm, std::vector<std::string> arguments) {
  // Where that user may read it.
  const std::string program = farm / "umlfarm";
  run_program(
      {"install", "-m", "755", std::string(UMLFARM_BUILD_DIRECTORY) + "/provisioner/cli/umlfarm", program});
  arguments.insert(arguments.begin(), {"setpriv", "--reuid", kNobody, "--regid", kNobody, "--clear-groups",
                                       program, "--socket", farm.socket()});
  return run_program(arguments);
}

TEST(Stranger, IsToldThatItMayNot) {
  const TestFarm farm("", false);
  const Ran ran = as_nobody(farm, {"list"});
  EXPECT_EQ(ran.code, 7) << ran.err;
  EXPECT_NE(ran.err.find("admins"), std::string::npos) << ran.err;
}

TEST(Stranger, KeepsNobodyWaiting) {
  const TestFarm farm("", false);
  const Stranger stranger(farm.socket());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(farm.umlfarm({"status"}).code, 0);
}

TEST(Admin, ReadsNoFileByTheDaemonsRight) {
  const TestFarm farm("admins = [65534]\n");
  const std::string secret = farm / "secret";
  ASSERT_TRUE(posix::make_directories(secret, 0700));
  run_program({"cp", "-r", built_image("tiny"), secret + "/image"});
  run_program({"cp", "/bin/busybox", secret + "/kernel"});
  EXPECT_EQ(as_nobody(farm, {"list"}).code, 0);
  for (const std::vector<std::string>& asked :
       {std::vector<std::string>{"kernel", "add", "/etc/shadow", "--name", "mine"},
        {"kernel", "add", secret + "/kernel", "--name", "mine"},
        {"image", "add", secret + "/image"},
        {"create", "alice", "--image", "tiny", "--plan", "tiny", "--ssh-key", farm.public_key(), "--disk",
         secret + "/kernel:ro"}}) {
    const Ran ran = as_nobody(farm, asked);
    EXPECT_EQ(ran.code, 7) << asked[0] << " " << ran.err;
    EXPECT_NE(ran.err.find("Permission denied"), std::string::npos) << ran.err;
  }
  // What everybody may read it may add.
  const Ran added = as_nobody(farm, {"kernel", "add", "/bin/busybox", "--name", "mine"});
  EXPECT_EQ(added.code, 0) << added.err;
  EXPECT_EQ(farm.json({"kernel", "list"}).at("kernels").as_array().size(), 2U);
  EXPECT_EQ(farm.json({"image", "list"}).at("images").as_array().size(), 1U);
}

TEST(Flood, OfTheConsoleHoldsUpItsOwnGuestAlone) {
  const TestFarm farm;
  farm.create("lab", {"--count", "2"});
  farm.in_guest("lab-1", "cat /dev/zero | tr '\\0' x >/dev/tty0 2>/dev/null &");
  // The log keeps within its share of the disk, and both guests go on.
  EXPECT_EQ(farm.in_guest("lab-2", "hostname"), "lab-2\n");
  EXPECT_EQ(farm.in_guest("lab-1", "hostname"), "lab-1\n");
  const std::string log = farm.state("guests/" + farm.id("lab-1") + "/console.log");
  EXPECT_LE(posix::stat(log)->st_size, 512 << 10);
  farm.ok({"stop", "lab-1"});
  EXPECT_EQ(farm.field("lab-1", "state"), "stopped");
}

}  // namespace
}  // namespace umlfarm::testing
