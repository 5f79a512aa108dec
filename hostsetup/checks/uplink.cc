// What the machine must do for packets between guests and the world. Nothing, where the farm has no uplink.
#include <algorithm>
#include <bit>
#include <boost/json.hpp>

#include "hostsetup/check.h"
#include "hostsetup/firewalls.h"
#include "hostsetup/networks.h"

namespace umlfarm::hostsetup {
namespace {

namespace json = boost::json;

constexpr const char* kForward6 = "/proc/sys/net/ipv6/conf/all/forwarding";
constexpr const char* kConnections = "/proc/sys/net/netfilter/nf_conntrack_max";
constexpr const char* kModuleFile = "/etc/modprobe.d/umlfarm.conf";
// As many as the kernel itself takes for a machine of 1 GiB, and what a busy small server has open.
constexpr std::uint64_t kConnectionsOfTheMachine = 32'768;
constexpr std::uint64_t kConnectionsOfAGuest = 1024;
// nf_conntrack allows so many for each bucket of a hashsize that it is given.
constexpr std::uint64_t kConnectionsOfABucket = 8;

Finding not_asked() { return holds("no uplink", "as it is"); }

Check with_uplink(Check check, std::function<Finding(const Context&)> inspect) {
  check.inspect = [inspect = std::move(inspect)](const Context& context) {
    return context.farm.network.uplink.empty() ? not_asked() : inspect(context);
  };
  return check;
}

Finding inspect_forwarding(const Context& context) {
  return inspect_setting(context, {"/proc/sys/net/ipv4/ip_forward", Rule::Exactly, "1", {}, true});
}

// The device of a default route that a router told the machine of, while a machine that forwards would no
// longer listen to it; empty where there is none.
std::string route_at_stake(const Machine& machine) {
  const auto said = machine.ask({"ip", "-j", "-6", "route", "show", "default"});
  boost::system::error_code error;
  const json::value routes = said ? json::parse(said->output, error) : json::value();
  if (error || !routes.is_array()) return {};
  for (const json::value& each : routes.get_array()) {
    const json::value* const protocol =
        each.is_object() ? each.get_object().if_contains("protocol") : nullptr;
    const json::value* const device = each.is_object() ? each.get_object().if_contains("dev") : nullptr;
    if (protocol == nullptr || *protocol != "ra" || device == nullptr || !device->is_string()) continue;
    std::string name(device->get_string());
    if (machine.setting("/proc/sys/net/ipv6/conf/" + name + "/accept_ra") == "1") return name;
  }
  return {};
}

Finding inspect_forwarding6(const Context& context) {
  const config::Network& farm = context.farm.network;
  if (!farm.routed || farm.pool6.empty()) return holds("no IPv6 beyond the uplink", "as it is");
  const auto is = context.machine.setting(kForward6);
  const std::string device = is == "1" ? std::string() : route_at_stake(context.machine);
  if (device.empty()) return inspect_setting(context, {kForward6, Rule::Exactly, "1", {}, true});
  // With slashes, as a device's name may have a dot.
  const std::string setting = "net/ipv6/conf/" + device + "/accept_ra=2";
  return {*is, "1", "would-cut",
          "a machine that forwards takes no routes from routers, and would lose its own, by " + device +
              ": run 'sysctl -w " + setting + "' and 'echo " + setting +
              " >/etc/sysctl.d/90-accept-ra.conf', then 'umlfarm-hostsetup apply'"};
}

Passage passage_of(const Context& context) {
  const config::Network& farm = context.farm.network;
  Passage passage{kFarmDevices, farm.routed, farm.routed && !farm.pool6.empty()};
  passage.out = default_device(context.machine.text("/proc/net/route").value_or(""));
  return passage;
}

Finding inspect_firewall(const Context& context) {
  const std::string should = "what comes and goes by umlf* is let through";
  const Passage passage = passage_of(context);
  const auto said = context.machine.ask({"nft", "-j", "list", "ruleset"});
  const auto walls = said && said->exit_code == 0
                         ? obstacles(said->output, passage)
                         : Result<std::vector<Obstacle>>(Error(Kind::Unavailable, ""));
  if (!walls) {
    return {
        "not seen", should, "not-seen",
        "the machine's packet filter cannot be read: run it as root, with nft ('apt-get install nftables')"};
  }
  if (walls->empty()) return holds("nothing in its way", should);
  std::string is;
  for (const Obstacle& wall : *walls) is += (is.empty() ? "dropped by " : ", ") + wall.str();
  return {is, should, "dropped", way_through(*walls, passage)};
}

// What the kernel makes of the machine's memory where nobody says otherwise (nf_conntrack_init_start),
// buckets and connections alike; below 1 GiB it makes fewer.
std::uint64_t usual_connections(const Machine& machine) {
  const ByteSize memory = of_meminfo(machine, "MemTotal");
  if (memory > ByteSize::gib(4)) return 262'144;
  return memory > ByteSize::gib(1) ? 65'536 : 8'192;
}

Finding inspect_connections(const Context& context) {
  const std::uint64_t least = kConnectionsOfTheMachine + kConnectionsOfAGuest * context.profile.guests;
  const std::uint64_t usual = usual_connections(context.machine);
  Finding finding = inspect_setting(context, {kConnections, Rule::AtLeast, std::to_string(least)});
  if (usual >= least) return finding;
  const std::uint64_t buckets =
      std::max(usual, std::bit_ceil((least + kConnectionsOfABucket - 1) / kConnectionsOfABucket));
  const Change file{
      {Sort::File, kModuleFile},
      file_standing(
          "# By umlfarm-hostsetup, which replaces this file: connections of guests are counted too.\n"
          "options nf_conntrack hashsize=" +
          std::to_string(buckets) + "\n")};
  finding.changes.push_back(file);
  if (context.machine.has(kConnections) ||
      look(context.machine, file.place).value_or(Standing()) == file.wanted)
    return finding;
  finding.is = "not loaded yet";
  finding.reason = "not-set";
  finding.advice = kApplyMends;
  return finding;
}

}  // namespace

std::vector<Check> uplink_checks() {
  return {
      with_uplink(
          {"network.forwarding",
           Severity::Must,
           "the machine forwards IPv4 where there is an uplink",
           "guests reach the world over it. CIS asks for 0, on machines that are no routers: this one is",
           "ip(7), ip_forward; umlfarm.toml(5), uplink",
           {}},
          inspect_forwarding),
      with_uplink(
          {"network.forwarding6",
           Severity::Must,
           "the machine forwards IPv6 where the uplink is routed, and keeps its own way out",
           "guests have addresses of their own there; a machine that begins to forward drops the default "
           "route that a router told it of",
           "Documentation/networking/ip-sysctl.rst, accept_ra; umlfarm.toml(5), routed",
           {}},
          inspect_forwarding6),
      with_uplink({"network.redirects",
                   Severity::Should,
                   "a machine that forwards takes no redirects",
                   "with a redirect a neighbour draws to itself what the machine sends; the kernel turns "
                   "them off where "
                   "forwarding is turned on, and on again with it off",
                   "Documentation/networking/ip-sysctl.rst, accept_redirects",
                   {}},
                  [](const Context& context) {
                    return inspect_setting(
                        context, {"/proc/sys/net/ipv4/conf/all/accept_redirects", Rule::Exactly, "0"});
                  }),
      with_uplink(
          {"network.firewall",
           Severity::Must,
           "the machine's own firewall lets guests' packets through",
           "a packet that one table drops is let through by no other; the tool leaves others' tables alone "
           "and says what they lack",
           "nft(8), chain; ufw(8), route; firewall-cmd(1), policies",
           {}},
          inspect_firewall),
      with_uplink(
          {"network.connections",
           Severity::Should,
           "the machine keeps count of the connections of all guests",
           "one table is for all: when it is full, new connections to the machine itself are dropped too",
           "Documentation/networking/nf_conntrack-sysctl.rst; the profile (guests)",
           {}},
          inspect_connections),
  };
}

}  // namespace umlfarm::hostsetup
