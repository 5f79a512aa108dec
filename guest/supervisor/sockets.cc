#include "guest/supervisor/sockets.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace umlfarm::guest {
namespace {

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Error(Kind::Invalid, "socket path of " + std::to_string(path.size()) +
                                    " bytes: must be under 108; choose a shorter root directory: " + path);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

}  // namespace

Result<UniqueFd> bind_socket(const std::string& path, int type, mode_t mode) {
  UMLFARM_ASSIGN(const sockaddr_un address, address_of(path));
  UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return system_error("socket");
  ::unlink(path.c_str());
  const mode_t old = ::umask(~mode & 0777U);
  const int bound = ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int reason = errno;
  ::umask(old);
  if (bound < 0) return system_error("bind " + path, reason);
  if (type == SOCK_SEQPACKET && ::listen(socket.get(), 16) < 0) return system_error("listen " + path);
  return socket;
}

Result<UniqueFd> connect_supervisor(const std::string& path) {
  UMLFARM_ASSIGN(const sockaddr_un address, address_of(path));
  UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!socket) return system_error("socket");
  // One that hangs leaves its backlog full, and connect(2) waits for as long as it may send.
  const timeval limit{5, 0};
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0)
    return system_error("set a time limit");
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    if (errno == EAGAIN) return Error(Kind::Timeout, "connect " + path + ": the supervisor hangs");
    return Error(Kind::Unavailable, std::error_code(errno, std::generic_category()), "connect " + path);
  }
  return socket;
}

}  // namespace umlfarm::guest
