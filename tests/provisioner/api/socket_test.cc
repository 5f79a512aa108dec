// The socket itself: what it replaces, and who may use it.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "provisioner/base/atomic_file.h"
#include "tests/provisioner/api/raw_peer.h"
#include "tests/provisioner/api/serving.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::api {
namespace {

using testing::is_error;
using testing::is_ok;

class Starting : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Server>> start(const std::string& path) {
    return Server::start(loop_, path, {}, service_, 1);
  }

  const testing::TemporaryDirectory directory_;
  FakeService service_;
  boost::asio::io_context loop_;
};

TEST_F(Starting, MakesASocketThatEverybodyMayReach) {
  const std::string path = directory_ / "s";
  const mode_t before = ::umask(077);
  const auto server = start(path);
  ::umask(before);
  ASSERT_THAT(server, is_ok());
  const auto info = posix::stat(path);
  ASSERT_THAT(info, is_ok());
  EXPECT_TRUE(S_ISSOCK(info->st_mode));
  EXPECT_EQ(info->st_mode & 07777, 0666U);
}

TEST_F(Starting, ReplacesWhatAnEarlierOneLeft) {
  const std::string path = directory_ / "s";
  {
    const UniqueFd earlier(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_un address = address_of(path);
    ASSERT_EQ(::bind(earlier.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  EXPECT_THAT(Client(path).get("/v1/x"), is_error(Kind::Unavailable, path));
  EXPECT_THAT(start(path), is_ok());
  ASSERT_THAT(write_file_atomically(path, "no socket", 0600), is_ok());
  EXPECT_THAT(start(path), is_ok());
  EXPECT_TRUE(S_ISSOCK(posix::stat(path)->st_mode));
}

TEST_F(Starting, RefusesAPathThatCannotBe) {
  const std::string longest = directory_ / std::string(107 - directory_.path().size() - 1, 's');
  EXPECT_THAT(start(longest), is_ok());
  EXPECT_THAT(start(longest + "s"), is_error(Kind::Invalid, longest + "s"));
  EXPECT_THAT(Client(longest + "s").get("/v1/x"), is_error(Kind::Invalid, longest + "s"));
  ASSERT_THAT(posix::make_directories(directory_ / "directory", 0755), is_ok());
  for (const char* name : {"directory", "nowhere/s"}) {
    const auto server = start(directory_ / name);
    ASSERT_FALSE(server);
    EXPECT_NE(server.error().message().find(directory_ / name), std::string::npos)
        << server.error().message();
  }
}

TEST_F(Starting, ServesOverItsLongestPath) {
  const std::string path = directory_ / std::string(107 - directory_.path().size() - 1, 's');
  const auto server = start(path);
  ASSERT_THAT(server, is_ok());
  std::thread thread([this] { loop_.run(); });
  EXPECT_THAT(Client(path).get("/v1/x"), is_ok());
  loop_.stop();
  thread.join();
}

constexpr uid_t kStranger = 54321;
constexpr uid_t kAdmin = 54322;

// Asks as that user, in a process of its own. Between fork(2) and the end only system calls: this process has
// threads.
std::string ask_as(uid_t uid, const std::string& path) {
  const std::string request = "GET /v1/x HTTP/1.1\r\nConnection: close\r\n\r\n";
  const sockaddr_un address = address_of(path);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return "no pipe";
  const UniqueFd output(ends[0]);
  UniqueFd input(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    if (::syscall(SYS_setresuid, uid, uid, uid) != 0) ::_exit(1);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) ::_exit(2);
    if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) ::_exit(3);
    char buffer[4096];
    for (;;) {
      const ssize_t size = ::read(fd, buffer, sizeof buffer);
      if (size <= 0) ::_exit(size == 0 ? 0 : 4);
      (void)!::write(input.get(), buffer, static_cast<std::size_t>(size));
    }
  }
  input.reset();
  const auto answer = posix::read_all(output.get());
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  return answer.value_or("");
}

class Admission : public Serving {
 protected:
  Admission() : Serving({kAdmin}) {}
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can ask as somebody else";
    ASSERT_EQ(::chmod(directory_.path().c_str(), 0711), 0);
  }
};

TEST_F(Admission, RefusesAStranger) {
  const std::string answer = ask_as(kStranger, socket());
  EXPECT_EQ(status_of(answer), std::to_string(http_status(Kind::Denied)));
  EXPECT_NE(answer.find(std::to_string(kStranger)), std::string::npos) << answer;
  EXPECT_TRUE(service_.asked().empty());
}

TEST_F(Admission, TakesAnAdminWhoIsNotRoot) {
  EXPECT_EQ(status_of(ask_as(kAdmin, socket())), "200");
  ASSERT_EQ(service_.asked().size(), 1U);
  EXPECT_EQ(service_.asked()[0].peer, kAdmin);
}

TEST_F(Admission, TellsAStrangerNothingOfWhatThereIs) {
  const std::string refusal = ask_as(kStranger, socket());
  service_.answer = [](const Request&) { return error_response(Error(Kind::NotFound, "no guest")); };
  EXPECT_EQ(ask_as(kStranger, socket()), refusal);
}

std::size_t open_descriptors() {
  return posix::list_directory("/proc/self/fd").value_or(std::vector<std::string>()).size();
}

TEST_F(Admission, GivesManyStrangersNoMoreThanAFew) {
  constexpr std::size_t kConnections = 200;
  const std::string path = socket();
  const sockaddr_un address = address_of(path);
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  const std::size_t before = open_descriptors();
  const pid_t child = ::fork();
  if (child == 0) {
    char byte = 'y';
    ours.reset();
    if (::syscall(SYS_setresuid, kStranger, kStranger, kStranger) != 0) ::_exit(1);
    for (std::size_t i = 0; i < kConnections; ++i) {
      const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
      if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) ::_exit(2);
    }
    if (::write(theirs.get(), &byte, 1) != 1) ::_exit(3);
    ::_exit(::read(theirs.get(), &byte, 1) == 0 ? 0 : 4);
  }
  theirs.reset();
  char byte = '\0';
  EXPECT_EQ(::read(ours.get(), &byte, 1), 1);
  // Taken on after all of theirs.
  expect_still_serves();
  EXPECT_LT(open_descriptors(), before + kConnections / 2);
  ours.reset();
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

}  // namespace
}  // namespace umlfarm::api
