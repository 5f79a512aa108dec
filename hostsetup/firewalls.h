// The machine's own packet filter: whether it lets through what the farm's uplink brings. Pure.
#pragma once

#include <string>
#include <vector>

#include "provisioner/base/result.h"

namespace umlfarm::hostsetup {

// What is to come through.
struct Passage {
  std::string devices;   // as the names of the uplink's devices begin
  bool inward = false;   // whether the world begins connections too, or only answers
  bool ipv6 = false;     // beside IPv4
  std::string out = {};  // the device that the machine's default route leads to; empty: not known
};

// A chain that drops what it does not know, in a table that does not know the uplink.
struct Obstacle {
  enum class Keeper { Nobody, Ufw, Firewalld, Docker };  // who writes the table's rules
  std::string family;                                    // "inet", "ip", "ip6"
  std::string table;
  std::string chain;
  Keeper keeper = Keeper::Nobody;
  bool knows_answers = false;  // whether it lets through what belongs to a connection that there is
  // "inet filter forward"
  std::string str() const { return family + " " + table + " " + chain; }
};

// Of 'nft -j list ruleset', which has the rules of iptables-nft too. What is dropped in one chain is let
// through by no other. Tables of the farm's own are none of the machine's.
Result<std::vector<Obstacle>> obstacles(const std::string& ruleset, const Passage& passage);

// What to run so that they are none any more, for people.
std::string way_through(const std::vector<Obstacle>& walls, const Passage& passage);

}  // namespace umlfarm::hostsetup
