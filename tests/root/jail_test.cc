// A hostile program in place of the kernel finds nothing of the host.
#include <fcntl.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <sstream>

#include "tests/jailed/bait.h"
#include "tests/support/test_farm.h"

namespace umlfarm::testing {
namespace {

const std::string kHostile = std::string(UMLFARM_BUILD_DIRECTORY) + "/tests/jailed/umlfarm_hostile";

UniqueFd listener(const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0) << name;
  EXPECT_EQ(::listen(fd.get(), 8), 0);
  return fd;
}

// What is there to be found.
class Bait {
 public:
  Bait() {
    ::unlink(bait::kSocket);
    named_ = listener(bait::kSocket);
    EXPECT_EQ(::chmod(bait::kSocket, 0666), 0);
    abstract_ = listener(std::string(1, '\0') + bait::kAbstract);
    shared_ = ::shmget(bait::kSharedMemory, 4096, IPC_CREAT | 0666);
    EXPECT_GE(shared_, 0);
    EXPECT_GE(::mq_open(bait::kQueue, O_CREAT | O_RDWR, 0666, nullptr), 0);
  }
  Bait(const Bait&) = delete;
  Bait& operator=(const Bait&) = delete;
  ~Bait() {
    ::mq_unlink(bait::kQueue);
    ::shmctl(shared_, IPC_RMID, nullptr);
    ::unlink(bait::kSocket);
  }

 private:
  UniqueFd named_;
  UniqueFd abstract_;
  int shared_ = -1;
};

// Each probe's result by its name.
std::map<std::string, std::string> results(const std::string& output) {
  std::map<std::string, std::string> found;
  std::istringstream lines(output);
  std::string word, name, result;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    if (words >> word >> name >> result && word == "probe") found[name] = result;
  }
  return found;
}

std::set<std::string> names_of(const std::map<std::string, std::string>& results, const std::string& result) {
  std::set<std::string> names;
  for (const auto& [name, what] : results) {
    if (what == result) names.insert(name);
  }
  return names;
}

TEST(Jail, HoldsNothingOfTheHost) {
  const Bait bait;
  // Outside, in a mount namespace that takes its mounts along: each probe sees what it looks for.
  const Ran control = run_program({"unshare", "--mount", "sh", "-c", kHostile + " 9</dev/null"});
  ASSERT_EQ(control.code, 0) << control.err;
  const auto outside = results(control.out);
  EXPECT_GE(outside.size(), 50U) << control.out;
  std::set<std::string> blind = names_of(outside, "nothing");
  if (blind.erase("other-architecture") != 0) {
    std::cout << "this host takes no 32-bit calls: other-architecture finds nothing anywhere\n";
  }
  EXPECT_EQ(blind, std::set<std::string>()) << "blind probes";

  const TestFarm farm("[guests]\nrestarts = 0\n");
  farm.add_kernel(kHostile, "hostile");
  farm.ok({"create", "mallory", "--kernel", "hostile", "--image", "tiny", "--plan", "tiny", "--ssh-key",
           farm.public_key(), "--no-wait"});
  ASSERT_TRUE(eventually([&] {
    return farm.umlfarm({"logs", "mallory"}).out.find("probes done") != std::string::npos;
  }));
  const std::string log = farm.ok({"logs", "mallory"});
  const auto inside = results(log);
  EXPECT_EQ(names_of(inside, "found"), std::set<std::string>()) << log;
  EXPECT_EQ(inside.size(), outside.size()) << log;
  ASSERT_TRUE(eventually([&] { return farm.field("mallory", "state") == "stopped"; }));
  farm.ok({"delete", "mallory"});
  EXPECT_EQ(farm.leftovers(), Traces());
}

}  // namespace
}  // namespace umlfarm::testing
