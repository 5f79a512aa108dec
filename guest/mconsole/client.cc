#include "guest/mconsole/client.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "provisioner/base/clock.h"

namespace umlfarm::guest::mconsole {
namespace {

// Each waits for those before it, and has a deadline only once it is under way.
constexpr std::size_t kMostWaiting = 64;

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return Error(Kind::Invalid, "socket path too long: " + path);
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Error unavailable(const char* what) {
  return {Kind::Unavailable, std::error_code(errno, std::generic_category()), what};
}

}  // namespace

Client::~Client() {
  if (!reply_name_.empty()) ::unlinkat(directory_, reply_name_.c_str(), 0);
}

void Client::ask(const std::string& command, std::int64_t limit, Done done) {
  if (queue_.size() >= kMostWaiting) {
    return done(Error(Kind::Unavailable, "management console: too many requests wait for an answer"));
  }
  queue_.push_back({command, limit, std::move(done)});
  if (!under_way_) begin_next();
}

std::optional<std::int64_t> Client::next() const {
  if (!under_way_) return {};
  return deadline_;
}

void Client::begin_next() {
  if (queue_.empty()) return;
  under_way_ = true;
  reply_ = Reply();
  deadline_ = monotonic_ms() + queue_.front().limit;
  if (Status sent = send(queue_.front()); !sent) finish(std::move(sent).error());
}

Status Client::send(const Request& request) {
  UMLFARM_ASSIGN(const std::string packet, encode_request(request.command));
  UMLFARM_ASSIGN(const UniqueFd console, find_console());
  UMLFARM_TRY(bind_reply_socket());
  UMLFARM_ASSIGN(const sockaddr_un address, address_of("/proc/self/fd/" + std::to_string(console.get())));
  if (::connect(reply_socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 ||
      ::send(reply_socket_.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
    return Error(Kind::Unavailable, std::error_code(errno, std::generic_category()), "management console");
  }
  return {};
}

// A name of its own for each request: an answer that comes too late finds nobody.
Status Client::bind_reply_socket() {
  reply_socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!reply_socket_) return unavailable("management console: socket");
  reply_name_ = "m" + std::to_string(count_++);
  UMLFARM_ASSIGN(const sockaddr_un address, address_of(reply_name_));
  // The guest may exchange the file at any moment, so its mode is right from the start, never set afterwards.
  const mode_t old = ::umask(0);
  const int bound = ::bind(reply_socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int reason = errno;
  ::umask(old);
  errno = reason;
  // Whatever the reason, it is the guest's directory: full, or with something of the guest's in the way.
  return bound == 0 ? Status() : unavailable("bind a reply socket in the guest's /run");
}

Result<UniqueFd> Client::find_console() const {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC | O_NOFOLLOW;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
  const long fd = ::syscall(SYS_openat2, directory_, socket_.c_str(), &how, sizeof how);
  if (fd < 0) {
    return Error(Kind::Unavailable, std::error_code(errno, std::generic_category()), "management console");
  }
  return UniqueFd(static_cast<int>(fd));
}

void Client::on_readable() {
  std::array<char, 1024> packet;
  // Not for ever: a guest may send without end.
  for (int packets = 0; under_way_ && packets < 64; ++packets) {
    const ssize_t size = ::recv(reply_socket_.get(), packet.data(), packet.size(), MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return;
    if (size < 0)
      return finish(
          Error(Kind::Unavailable, std::error_code(errno, std::generic_category()), "management console"));
    Result<bool> last = reply_.add({packet.data(), static_cast<std::size_t>(size)});
    if (!last) return finish(std::move(last).error());
    if (*last) return finish(std::move(reply_));
  }
}

void Client::on_time(std::int64_t now) {
  if (under_way_ && now >= deadline_) {
    finish(Error(Kind::Timeout, "management console: no answer to '" + queue_.front().command + "'"));
  }
}

void Client::finish(Result<Reply> result) {
  const Done done = std::move(queue_.front().done);
  queue_.pop_front();
  under_way_ = false;
  reply_socket_.reset();
  if (!reply_name_.empty()) ::unlinkat(directory_, reply_name_.c_str(), 0);
  reply_name_.clear();
  done(std::move(result));
  if (!under_way_) begin_next();
}

}  // namespace umlfarm::guest::mconsole
