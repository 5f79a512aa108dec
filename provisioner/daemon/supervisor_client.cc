#include "provisioner/daemon/supervisor_client.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>

#include "guest/supervisor/sockets.h"

namespace umlfarm::daemon {
namespace {

constexpr int kLimitMs = 5000;

Result<std::string> exchange(int socket, const std::string& request, int limit_ms) {
  const timeval limit{limit_ms / 1000, limit_ms % 1000 * 1000L};
  if (::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0)
    return system_error("set a time limit");
  if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    return Error(Kind::Unavailable, std::error_code(errno, std::generic_category()), "ask the supervisor");
  }
  std::string packet(guest::kMostPacket, '\0');
  ssize_t size;
  do {
    size = ::recv(socket, packet.data(), packet.size(), 0);
  } while (size < 0 && errno == EINTR);
  if (size < 0 && errno == EAGAIN) return Error(Kind::Timeout, "the supervisor did not answer in time");
  if (size <= 0) return Error(Kind::Unavailable, "the supervisor has gone");
  packet.resize(static_cast<std::size_t>(size));
  return guest::parse_answer(packet);
}

}  // namespace

Result<std::string> ask_supervisor(const std::string& socket, const std::string& request, int limit_ms) {
  UMLFARM_ASSIGN(const UniqueFd connection, guest::connect_supervisor(socket));
  return exchange(connection.get(), request, limit_ms);
}

Result<guest::SupervisorStatus> supervisor_status(const std::string& socket) {
  UMLFARM_ASSIGN(const std::string text, ask_supervisor(socket, "status", kLimitMs));
  return guest::parse_status(text);
}

Result<SupervisorStream> open_supervisor_stream(const std::string& socket, const std::string& request) {
  UMLFARM_ASSIGN(UniqueFd connection, guest::connect_supervisor(socket));
  UMLFARM_ASSIGN(std::string first, exchange(connection.get(), request, kLimitMs));
  return SupervisorStream{std::move(connection), std::move(first)};
}

}  // namespace umlfarm::daemon
