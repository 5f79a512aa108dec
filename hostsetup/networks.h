// IPv4 networks: which of the machine's are in the way of the farm's. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace umlfarm::hostsetup {

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
// A private network of that prefix, 16 or longer, that overlaps none of these.
std::optional<Network4> free_network4(unsigned prefix, const std::vector<Network4>& taken);

}  // namespace umlfarm::hostsetup
