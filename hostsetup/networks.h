// IPv4 networks: which of the machine's are in the way of the farm's. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace umlfarm::hostsetup {

// As the names of the farm's devices on the machine begin.
inline constexpr const char* kFarmDevices = "umlf";

struct Network4 {
  std::uint32_t address = 0;  // host byte order
  unsigned prefix = 32;
  std::string str() const;
};

struct Route4 {
  Network4 to;
  std::string device;
};

// "10.77.0.0/16"; nothing where it is no such.
std::optional<Network4> parse_network4(const std::string& cidr);
bool overlap(const Network4& a, const Network4& b);
// Of /proc/net/route, without the default route.
std::vector<Route4> parse_routes(const std::string& text);
// The device of its default route; empty where there is none.
std::string default_device(const std::string& text);
// Whether an IPv6 network, "fd00::/64", holds or is held by one of those that /proc/net/ipv6_route has by
// other devices than `ours*`: which one, or nothing. Default routes, link-local ones and groups don't count.
std::optional<std::string> route6_within(const std::string& cidr, const std::string& text,
                                         const std::string& ours);
// A private network of that prefix, 16 or longer, that overlaps none of these.
std::optional<Network4> free_network4(unsigned prefix, const std::vector<Network4>& taken);

}  // namespace umlfarm::hostsetup
