#include "provisioner/config/listen.h"

#include <arpa/inet.h>

#include <charconv>

namespace umlfarm::config {
namespace {

Error wrong(std::string_view text) {
  return {Kind::Invalid, "'" + std::string(text) +
                             "': must be an address of this host and a port, such as \"127.0.0.1:9753\" or "
                             "\"[::1]:9753\", or \"\" for none"};
}

}  // namespace

std::string Listen::str() const {
  if (address.empty()) return "";
  const bool is_ipv6 = address.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

Result<Listen> parse_listen(std::string_view text) {
  Listen listen;
  if (text.empty()) return listen;
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong(text);
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), listen.port);
  if (error != std::errc() || end != port.data() + port.size() || listen.port == 0) return wrong(text);
  std::string_view address = text.substr(0, colon);
  const bool bracketed = address.size() > 2 && address.front() == '[' && address.back() == ']';
  if (bracketed) address = address.substr(1, address.size() - 2);
  listen.address = std::string(address);
  in6_addr six{};
  in_addr four{};
  if (bracketed && ::inet_pton(AF_INET6, listen.address.c_str(), &six) == 1) {
    listen.loopback = IN6_IS_ADDR_LOOPBACK(&six);
  } else if (!bracketed && ::inet_pton(AF_INET, listen.address.c_str(), &four) == 1) {
    constexpr std::uint32_t kNetwork = 127;
    listen.loopback = ntohl(four.s_addr) >> 24U == kNetwork;
  } else {
    return wrong(text);
  }
  return listen;
}

}  // namespace umlfarm::config
