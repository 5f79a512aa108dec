// What the farm's network needs of the machine, and what it must not collide with.
#include <algorithm>
#include <boost/algorithm/string/trim.hpp>

#include "hostsetup/check.h"
#include "hostsetup/networks.h"

namespace umlfarm::hostsetup {
namespace {

Finding inspect_tun(const Context& context) {
  if (context.machine.has("/sys/class/misc/tun")) return holds("there", "there");
  const std::string dry =
      context.machine.answer({"modprobe", "-n", "-v", "tun"}).value_or("modprobe: FATAL: no modprobe");
  if (dry.starts_with("insmod")) return holds("loaded when it is asked for", "there");
  if (dry.starts_with("install")) {
    return {"forbidden", "there", "forbidden",
            "\"" + boost::algorithm::trim_copy(dry) +
                "\" keeps the module from being loaded: find the line with 'grep -r tun /etc/modprobe.d' and "
                "take it out"};
  }
  return {"missing", "there", "missing",
          "this kernel has no module 'tun': boot Debian's linux-image-amd64; in a container, have "
          "/dev/net/tun given to it"};
}

Finding inspect_pools(const Context& context) {
  const config::Network& farm = context.farm.network;
  const std::vector<Route4> routes = parse_routes(context.machine.text("/proc/net/route").value_or(""));
  std::vector<Network4> taken;
  for (const Route4& route : routes) {
    if (!route.device.starts_with(kFarmDevices)) taken.push_back(route.to);
  }
  for (const auto& [key, cidr] :
       {std::pair<const char*, std::string>{"pool4", farm.pool4}, {"uplink", farm.uplink}}) {
    const auto network = parse_network4(cidr);
    if (!network) continue;
    const auto other = std::find_if(taken.begin(), taken.end(),
                                    [&](const Network4& each) { return overlap(each, *network); });
    if (other == taken.end()) {
      taken.push_back(*network);
      continue;
    }
    const auto free = free_network4(network->prefix, taken);
    return {std::string(key) + " " + cidr + " and " + other->str(), "no network twice", "collision",
            std::string("set ") + key + " = \"" + (free ? free->str() : "a network that is free") +
                "\" in [network] of /etc/umlfarm/umlfarm.toml, before there are guests"};
  }
  if (farm.routed) {
    const auto other =
        route6_within(farm.pool6, context.machine.text("/proc/net/ipv6_route").value_or(""), kFarmDevices);
    if (other) {
      return {"pool6 " + farm.pool6 + " and " + *other, "no network twice", "collision",
              "have a network routed to this machine that is on none of its links, and set pool6 to it in "
              "[network] of "
              "/etc/umlfarm/umlfarm.toml, before there are guests; or set pool6 = \"\""};
    }
  }
  return holds(farm.pool4 + (farm.uplink.empty() ? "" : " and " + farm.uplink), "no network twice");
}

Check neighbours(const char* name, const char* family) {
  const std::string setting = std::string("/proc/sys/net/") + family + "/neigh/default/gc_thresh3";
  return setting_check(
      {name,
       Severity::Should,
       "the machine remembers a neighbour for each guest",
       "the table is one for all namespaces: when it is full, the machine forgets its own gateway",
       "arp(7), gc_thresh3; the profile (guests)",
       {}},
      [setting](const Context& context) {
        return Need{setting, Rule::AtLeast, std::to_string(1024 + 2 * context.profile.guests)};
      });
}

}  // namespace

std::vector<Check> network_checks() {
  return {
      {"network.tun", Severity::Must, "the kernel has taps",
       "a guest's network device is a tap of the host's", "Documentation/networking/tuntap.rst", inspect_tun},
      {"network.pools", Severity::Must, "the farm's networks are nobody else's",
       "the machine would send to guests what is meant for others, or guests would not reach those others",
       "umlfarm.toml(5), pool4 and uplink; /proc/net/route", inspect_pools},
      neighbours("network.neighbours4", "ipv4"),
      neighbours("network.neighbours6", "ipv6"),
  };
}

}  // namespace umlfarm::hostsetup
