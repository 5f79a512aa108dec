#include "hostsetup/networks.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <sstream>

namespace umlfarm::hostsetup {
namespace {

std::uint32_t mask_of(unsigned prefix) { return prefix == 0 ? 0 : ~std::uint32_t{0} << (32U - prefix); }

// As the kernel writes it: the address's bytes in the order of the network, as a number of this machine.
std::uint32_t hexadecimal(const std::string& text) {
  std::uint32_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number, 16);
  return ntohl(number);
}

std::vector<Route4> all_routes(const std::string& text) {
  std::vector<Route4> routes;
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string device, to, gateway, flags, references, use, metric, mask;
    words >> device >> to >> gateway >> flags >> references >> use >> metric >> mask;
    if (words.fail()) continue;
    const auto prefix = static_cast<unsigned>(__builtin_popcount(hexadecimal(mask)));
    routes.push_back({{hexadecimal(to), prefix}, device});
  }
  return routes;
}

bool same_bits(const in6_addr& a, const in6_addr& b, unsigned bits) {
  for (unsigned bit = 0; bit < bits; ++bit) {
    if (((a.s6_addr[bit / 8] ^ b.s6_addr[bit / 8]) & (0x80U >> bit % 8)) != 0) return false;
  }
  return true;
}

}  // namespace

std::string Network4::str() const {
  char text[INET_ADDRSTRLEN];
  const in_addr network{htonl(address)};
  return std::string(::inet_ntop(AF_INET, &network, text, sizeof text)) + "/" + std::to_string(prefix);
}

std::optional<Network4> parse_network4(const std::string& cidr) {
  const std::size_t slash = cidr.find('/');
  in_addr address{};
  unsigned prefix = 33;
  if (slash == std::string::npos || ::inet_pton(AF_INET, cidr.substr(0, slash).c_str(), &address) != 1)
    return {};
  std::from_chars(cidr.data() + slash + 1, cidr.data() + cidr.size(), prefix);
  if (prefix > 32) return {};
  return Network4{ntohl(address.s_addr) & mask_of(prefix), prefix};
}

bool overlap(const Network4& a, const Network4& b) {
  const std::uint32_t mask = mask_of(std::min(a.prefix, b.prefix));
  return (a.address & mask) == (b.address & mask);
}

std::vector<Route4> parse_routes(const std::string& text) {
  std::vector<Route4> routes = all_routes(text);
  std::erase_if(routes, [](const Route4& route) { return route.to.prefix == 0; });
  return routes;
}

std::string default_device(const std::string& text) {
  for (const Route4& route : all_routes(text)) {
    if (route.to.prefix == 0) return route.device;
  }
  return {};
}

std::optional<std::string> route6_within(const std::string& cidr, const std::string& text,
                                         const std::string& ours) {
  const std::size_t slash = cidr.find('/');
  in6_addr wanted{};
  unsigned wanted_prefix = 0;
  if (slash == std::string::npos || ::inet_pton(AF_INET6, cidr.substr(0, slash).c_str(), &wanted) != 1)
    return {};
  std::from_chars(cidr.data() + slash + 1, cidr.data() + cidr.size(), wanted_prefix);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string to, length, word, device;
    words >> to >> length;
    while (words >> word) device = word;
    in6_addr network{};
    unsigned prefix = 0;
    std::from_chars(length.data(), length.data() + length.size(), prefix, 16);
    if (to.size() != 32 || prefix == 0 || device.starts_with(ours)) continue;
    for (std::size_t i = 0; i < 16; ++i)
      std::from_chars(to.data() + 2 * i, to.data() + 2 * i + 2, network.s6_addr[i], 16);
    if (IN6_IS_ADDR_LINKLOCAL(&network) || IN6_IS_ADDR_MULTICAST(&network)) continue;
    if (!same_bits(network, wanted, std::min(prefix, wanted_prefix))) continue;
    char shown[INET6_ADDRSTRLEN];
    return std::string(::inet_ntop(AF_INET6, &network, shown, sizeof shown)) + "/" + std::to_string(prefix);
  }
  return {};
}

std::optional<Network4> free_network4(unsigned prefix, const std::vector<Network4>& taken) {
  for (const auto& [first, last] :
       {std::pair{0x0A4D0000U, 0x0AFFFFFFU},  // 10.77.0.0, to the end of 10.0.0.0/8
        std::pair{0xAC100000U, 0xAC1FFFFFU},  // 172.16.0.0/12
        std::pair{0xC0A80000U, 0xC0A8FFFFU}}) {
    const std::uint64_t step = std::uint64_t{1} << (32U - prefix);
    for (std::uint64_t address = first; address + step - 1 <= last; address += step) {
      const Network4 candidate{static_cast<std::uint32_t>(address), prefix};
      if (std::none_of(taken.begin(), taken.end(),
                       [&](const Network4& other) { return overlap(other, candidate); })) {
        return candidate;
      }
    }
  }
  return {};
}

}  // namespace umlfarm::hostsetup
