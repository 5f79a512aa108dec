#include "guest/jail/report.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdlib>

namespace umlfarm::guest {

void send_report(int reports, const JailReport& report) {
  std::string packet(1, static_cast<char>(report.what));
  packet += report.what == JailReport::What::Exited ? std::to_string(report.wait_status) : report.why;
  (void)::send(reports, packet.data(), packet.size(), MSG_NOSIGNAL);
}

Result<JailReport> read_report(int reports) {
  std::array<char, 4096> buffer;
  ssize_t size;
  do {
    size = ::recv(reports, buffer.data(), buffer.size(), 0);
  } while (size < 0 && errno == EINTR);
  if (size < 0) return system_error("read the jail's report");
  if (size == 0) return Error(Kind::Unavailable, "the jail's init is gone");
  JailReport report{static_cast<JailReport::What>(buffer[0]), 0, {}};
  const std::string rest(buffer.data() + 1, static_cast<std::size_t>(size) - 1);
  if (report.what == JailReport::What::Exited) {
    report.wait_status = std::atoi(rest.c_str());
  } else {
    report.why = rest;
  }
  return report;
}

}  // namespace umlfarm::guest
