#include "guest/net/uplink.h"

#include <arpa/inet.h>
#include <fcntl.h>

#include "guest/net/address_pool.h"
#include "guest/net/firewall.h"
#include "guest/net/links.h"
#include "provisioner/base/posix.h"

namespace umlfarm::guest {
namespace {

constexpr const char* kFarmDevice = "umlup0";
constexpr const char* kFarmTable = "umlfarm_uplink";

// Adding what is there is no error, deleting what is not there is one: together they never are.
std::string remove_table(const std::string& table) {
  return "add table ip " + table + "\ndelete table ip " + table + "\n";
}

Status check_forwarding() {
  UMLFARM_ASSIGN(const std::string forward, posix::read_file("/proc/sys/net/ipv4/ip_forward"));
  if (forward.starts_with("1")) return {};
  return Error(
      Kind::Unavailable,
      "uplink: this machine does not forward IPv4; turn it on with 'sysctl -w net.ipv4.ip_forward=1', "
      "or take uplink out of umlfarm.toml");
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

std::string uplink_farm_rules(const std::string& bridge, const std::string& device) {
  const std::string table = std::string("ip ") + kFarmTable;
  const std::string out = "iifname \"" + bridge + "\" oifname \"" + device + "\" ";
  return remove_table(kFarmTable) + "add table " + table + "\nadd chain " + table +
         " forward { type filter hook forward priority 0; policy drop; }\nadd chain " + table +
         " translate { type nat hook postrouting priority 100; policy accept; }\nadd rule " + table +
         " forward " + out + "ip daddr != 169.254.0.0/16 accept\nadd rule " + table + " forward iifname \"" +
         device + "\" oifname \"" + bridge + "\" ct state established,related accept\nadd rule " + table +
         " translate oifname \"" + device + "\" masquerade\n";
}

std::string uplink_machine_rules(const std::string& name, const std::string& device,
                                 const std::string& farm_address) {
  const std::string table = "ip " + name;
  return remove_table(name) + "add table " + table + "\nadd chain " + table +
         " input { type filter hook input priority 0; policy accept; }\nadd chain " + table +
         " farm\nadd chain " + table +
         " translate { type nat hook postrouting priority 100; policy accept; }\nadd rule " + table +
         " input iifname \"" + device + "\" jump farm\nadd rule " + table +
         " farm ct state established,related accept\nadd rule " + table +
         " farm icmp type echo-request accept\nadd rule " + table + " farm drop\nadd rule " + table +
         " translate ip saddr " + farm_address + " oifname != \"" + device + "\" masquerade\n";
}

Uplink::Uplink(const std::string& farm)
    : device_("umlf" + farm.substr(0, 8)), table_("umlfarm_" + farm.substr(0, 8)) {}

Status Uplink::set_up(NetNamespace& space, const std::string& bridge,
                      const UplinkAddresses& addresses) const {
  UMLFARM_TRY(check_forwarding());
  // Guarded before there is anything to guard.
  UMLFARM_TRY(apply(uplink_machine_rules(table_, device_, without_prefix(addresses.farm))));
  UMLFARM_ASSIGN(const UniqueFd machine, posix::open("/proc/thread-self/ns/net", O_RDONLY));
  UMLFARM_TRY(space.run([&] { return connect(bridge, addresses, machine.get()); }));
  UMLFARM_ASSIGN(Links links, Links::open());
  UMLFARM_TRY(links.add_address(device_, addresses.machine));
  return links.bring_up(device_);
}

Status Uplink::connect(const std::string& bridge, const UplinkAddresses& addresses,
                       int machine_namespace) const {
  UMLFARM_TRY(apply(uplink_farm_rules(bridge, kFarmDevice)));
  UMLFARM_ASSIGN(Links links, Links::open());
  UMLFARM_TRY(links.make_veth(kFarmDevice, device_, machine_namespace));
  UMLFARM_TRY(links.add_address(kFarmDevice, addresses.farm));
  UMLFARM_TRY(links.bring_up(kFarmDevice));
  UMLFARM_TRY(links.add_default_route(without_prefix(addresses.machine)));
  return posix::write_existing("/proc/sys/net/ipv4/ip_forward", "1");
}

Status Uplink::disconnect() {
  UMLFARM_TRY(posix::write_existing("/proc/sys/net/ipv4/ip_forward", "0"));
  UMLFARM_ASSIGN(Links links, Links::open());
  // The machine's end goes with it.
  UMLFARM_TRY(links.remove(kFarmDevice));
  return apply(remove_table(kFarmTable));
}

Status Uplink::remove(NetNamespace& space) const {
  UMLFARM_TRY(space.run([] { return disconnect(); }));
  return apply(remove_table(table_));
}

}  // namespace umlfarm::guest
