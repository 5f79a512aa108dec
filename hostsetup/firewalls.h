// The machine's own packet filter: whether it lets through what the farm's uplink brings. Pure.
#pragma once

#include <string>
#include <vector>

#include "provisioner/base/result.h"

namespace umlfarm::hostsetup {

// A chain that drops what it does not know, in a table that does not know the uplink.
struct Obstacle {
  std::string family;  // "inet", "ip", "ip6"
  std::string table;
  std::string chain;
  // "inet filter forward"
  std::string str() const { return family + " " + table + " " + chain; }
};

// Of 'nft -j list ruleset', for devices whose names begin so. What is dropped in one chain is let through by
// no other. Tables of the farm's own are none of the machine's.
Result<std::vector<Obstacle>> obstacles(const std::string& ruleset, const std::string& devices);
// Whether there is such a chain in any table.
bool has_chain(const std::string& ruleset, const std::string& chain);

}  // namespace umlfarm::hostsetup
