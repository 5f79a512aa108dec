#include "guest/net/uplink.h"

#include <arpa/inet.h>
#include <fcntl.h>

#include <algorithm>
#include <map>
#include <vector>

#include "guest/net/address_pool.h"
#include "guest/net/firewall.h"
#include "guest/net/links.h"
#include "provisioner/base/posix.h"

namespace umlfarm::guest {
namespace {

constexpr const char* kFarmDevice = "umlup0";
// Made by the rules of guests, whom it knows.
constexpr const char* kFarmTable = "inet umlfarm";
constexpr const char* kForward = "forward { type filter hook forward priority 0; policy drop; }";
constexpr const char* kTranslate = "translate { type nat hook postrouting priority 100; policy accept; }";
// The two ends' IPv6 addresses, which nobody else on that pair has.
constexpr const char* kMachine6 = "fe80::1";
constexpr const char* kFarm6 = "fe80::2";
// Where clouds tell a machine its secrets: the common one, Azure's, Oracle's and Alibaba's; then Amazon's,
// Google's, Oracle's and Scaleway's of IPv6.
constexpr const char* kSecrets4 = "{ 169.254.0.0/16, 168.63.129.16, 192.0.0.192, 100.100.100.200 }";
constexpr const char* kSecrets6 =
    "{ fe80::/10, fd00:ec2::/32, fd20:ce::254, fd00:c1::a9fe:a9fe, fd00:42::42 }";

// Adding what is there is no error, deleting what is not there is one: together they never are.
std::string remove_table(const std::string& table) {
  return "add table inet " + table + "\ndelete table inet " + table + "\n";
}

// Commands whose lines begin with what they are about: "rule CHAIN ..." of "inet NAME".
std::string added(const std::string& table, const std::vector<std::string>& lines) {
  std::string commands;
  for (const std::string& line : lines) {
    const std::size_t space = line.find(' ');
    commands += "add " + line.substr(0, space) + " " + table + line.substr(space) + "\n";
  }
  return commands;
}

// The farm's two chains, with nothing but what goes between guests, which is for their own rules to say.
std::string empty_chains(const std::string& bridge) {
  std::string commands;
  for (const std::string chain : {kForward, kTranslate}) {
    commands += std::string("add chain ") + kFarmTable + " " + chain + "\nflush chain " + kFarmTable + " " +
                chain.substr(0, chain.find(' ')) + "\n";
  }
  return commands + "add rule " + kFarmTable + " forward iifname \"" + bridge + "\" oifname \"" + bridge +
         "\" jump neighbours\n";
}

Status check_forwarding(const char* setting, const char* protocol, const char* way_out) {
  UMLFARM_ASSIGN(const std::string forward, posix::read_file(std::string("/proc/sys/net/") + setting));
  if (forward.starts_with("1")) return {};
  std::string name(setting);
  std::replace(name.begin(), name.end(), '/', '.');
  return Error(Kind::Unavailable, std::string("uplink: this machine does not forward ") + protocol +
                                      "; turn it on with 'sysctl -w net." + name + "=1', or " + way_out +
                                      " in umlfarm.toml");
}

Status check_forwarding(const UplinkConfig& config) {
  UMLFARM_TRY(check_forwarding("ipv4/ip_forward", "IPv4", "leave out uplink"));
  if (config.routed6.empty()) return {};
  return check_forwarding("ipv6/conf/all/forwarding", "IPv6", "set pool6 = \"\"");
}

// As the calling thread's namespace has it.
Status set6(const std::string& device, const char* name, const char* value) {
  return posix::write_existing("/proc/sys/net/ipv6/conf/" + device + "/" + name, value);
}

Status forward6(const char* value) {
  return posix::exists("/proc/sys/net/ipv6") ? set6("all", "forwarding", value) : Status();
}

// An end's own IPv6: the address that the other end knows, at once, and no routes that are only said to be.
Status bring_up6(Links& links, const std::string& device, const std::string& address) {
  UMLFARM_TRY(set6(device, "disable_ipv6", "0"));
  UMLFARM_TRY(set6(device, "accept_ra", "0"));
  UMLFARM_TRY(set6(device, "accept_dad", "0"));
  UMLFARM_TRY(links.bring_up(device));
  return links.add_address(device, address + "/64");
}

Status apply(const std::string& rules) {
  UMLFARM_ASSIGN(Firewall firewall, Firewall::open());
  return firewall.apply(rules);
}

}  // namespace

Result<UplinkAddresses> uplink_addresses(const std::string& cidr) {
  const std::size_t slash = cidr.find('/');
  in_addr network{};
  const bool good = slash != std::string::npos && cidr.substr(slash) == "/30" &&
                    ::inet_pton(AF_INET, cidr.substr(0, slash).c_str(), &network) == 1 &&
                    (ntohl(network.s_addr) & 3U) == 0;
  if (!good) {
    return Error(Kind::Invalid,
                 "uplink '" + cidr + "': must be an IPv4 network with prefix 30, such as \"10.78.0.0/30\"");
  }
  const auto host = [&](std::uint32_t number) {
    const in_addr address{htonl(ntohl(network.s_addr) + number)};
    char text[INET_ADDRSTRLEN];
    return std::string(::inet_ntop(AF_INET, &address, text, sizeof text)) + "/30";
  };
  return UplinkAddresses{host(1), host(2)};
}

std::string uplink_farm_rules(const std::string& bridge, const std::string& device,
                              const UplinkConfig& config) {
  const std::string out = "rule forward iifname \"" + bridge + "\" oifname \"" + device + "\" ";
  const std::string in = "rule forward iifname \"" + device + "\" oifname \"" + bridge + "\" ";
  std::vector<std::string> lines{out + "ip daddr != " + kSecrets4 + " accept"};
  if (config.routed4.empty()) {
    lines.push_back(in + "ct state established,related accept");
    lines.push_back("rule translate oifname \"" + device + "\" masquerade");
    return empty_chains(bridge) + added(kFarmTable, lines);
  }
  lines.push_back(out + "ip6 daddr != " + kSecrets6 + " accept");
  // Nobody out there is a guest; and for who is none, nobody is asked on the bridge: the table of neighbours,
  // one for all of the machine, would be filled by whoever asks for many.
  lines.push_back(in + "ip saddr != " + config.routed4 + " ip daddr @guests4 accept");
  if (!config.routed6.empty())
    lines.push_back(in + "ip6 saddr != " + config.routed6 + " ip6 daddr @guests6 accept");
  return empty_chains(bridge) + added(kFarmTable, lines);
}

std::string uplink_machine_rules(const std::string& name, const std::string& device,
                                 const UplinkConfig& config) {
  const std::string farm = without_prefix(config.ends.farm);
  const std::string from = "rule forward iifname \"" + device + "\" ";
  std::vector<std::string> lines{
      "chain input { type filter hook input priority 0; policy accept; }", "chain farm",
      "rule input iifname \"" + device + "\" jump farm", "rule farm ct state established,related accept",
      "rule farm icmp type echo-request accept",
      "rule farm icmpv6 type { echo-request, nd-neighbor-solicit, nd-neighbor-advert } accept",
      "rule farm drop", "chain forward { type filter hook forward priority 0; policy accept; }",
      // The machine's own address, behind which one of its services is elsewhere, as of a container.
      from + "ct status dnat drop"};
  if (config.routed4.empty()) {
    lines.push_back(std::string("chain ") + kTranslate);
    lines.push_back("rule translate ip saddr " + farm + " oifname != \"" + device + "\" masquerade");
  } else {
    lines.push_back(from + "ip saddr != { " + config.routed4 + ", " + farm + " } drop");
    lines.push_back(from + (config.routed6.empty() ? "meta nfproto ipv6 drop"
                                                   : "ip6 saddr != " + config.routed6 + " drop"));
  }
  const std::string table = "inet " + name;
  return remove_table(name) + "add table " + table + "\n" + added(table, lines);
}

Uplink::Uplink(const std::string& farm)
    : device_("umlf" + farm.substr(0, 8)), table_("umlfarm_" + farm.substr(0, 8)) {}

Status Uplink::set_up(NetNamespace& space, const std::string& bridge, const UplinkConfig& config) const {
  UMLFARM_TRY(check_forwarding(config));
  // Guarded before there is anything to guard.
  UMLFARM_TRY(apply(uplink_machine_rules(table_, device_, config)));
  UMLFARM_ASSIGN(const UniqueFd machine, posix::open("/proc/thread-self/ns/net", O_RDONLY));
  UMLFARM_TRY(space.run([&] { return connect(bridge, config, machine.get()); }));
  return set_up_machine(config);
}

Status Uplink::set_up_machine(const UplinkConfig& config) const {
  UMLFARM_ASSIGN(Links links, Links::open());
  UMLFARM_TRY(links.set_address4(device_, config.ends.machine));
  std::map<std::string, std::string> routes;
  if (!config.routed4.empty()) routes.emplace(config.routed4, without_prefix(config.ends.farm));
  if (config.routed6.empty()) {
    UMLFARM_TRY(links.bring_up(device_));
  } else {
    UMLFARM_TRY(bring_up6(links, device_, kMachine6));
    routes.emplace(config.routed6, kFarm6);
  }
  return links.set_routes(device_, routes);
}

Status Uplink::connect(const std::string& bridge, const UplinkConfig& config, int machine_namespace) const {
  UMLFARM_TRY(apply(uplink_farm_rules(bridge, kFarmDevice, config)));
  UMLFARM_ASSIGN(Links links, Links::open());
  UMLFARM_TRY(links.make_veth(kFarmDevice, device_, machine_namespace));
  UMLFARM_TRY(links.set_address4(kFarmDevice, config.ends.farm));
  std::map<std::string, std::string> routes{{"0.0.0.0/0", without_prefix(config.ends.machine)}};
  if (config.routed6.empty()) {
    UMLFARM_TRY(links.bring_up(kFarmDevice));
    UMLFARM_TRY(forward6("0"));
  } else {
    UMLFARM_TRY(bring_up6(links, kFarmDevice, kFarm6));
    UMLFARM_TRY(forward6("1"));
    routes.emplace("::/0", kMachine6);
  }
  UMLFARM_TRY(links.set_routes(kFarmDevice, routes));
  return posix::write_existing("/proc/sys/net/ipv4/ip_forward", "1");
}

Status Uplink::disconnect(const std::string& bridge) {
  UMLFARM_TRY(posix::write_existing("/proc/sys/net/ipv4/ip_forward", "0"));
  UMLFARM_TRY(forward6("0"));
  UMLFARM_ASSIGN(Links links, Links::open());
  // The machine's end goes with it.
  UMLFARM_TRY(links.remove(kFarmDevice));
  return apply(empty_chains(bridge));
}

Status Uplink::remove(NetNamespace& space, const std::string& bridge) const {
  UMLFARM_TRY(space.run([&] { return disconnect(bridge); }));
  return apply(remove_table(table_));
}

}  // namespace umlfarm::guest
