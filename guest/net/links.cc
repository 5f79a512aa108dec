#include "guest/net/links.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_bridge.h>
#include <linux/if_tun.h>
#include <linux/neighbour.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netlink/addr.h>
#include <netlink/route/addr.h>
#include <netlink/route/neighbour.h>
#include <netlink/route/route.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "guest/net/netlink.h"
#include "provisioner/base/posix.h"

namespace umlfarm::guest {
namespace {

using Address = std::unique_ptr<nl_addr, void (*)(nl_addr*)>;
using Neighbour = std::unique_ptr<rtnl_neigh, void (*)(rtnl_neigh*)>;

// An address with or without prefix, "default", or a MAC (AF_LLC).
Result<Address> parse_address(const std::string& text, int family) {
  nl_addr* parsed = nullptr;
  const int result = ::nl_addr_parse(text.c_str(), family, &parsed);
  if (result < 0) return netlink_error("address '" + text + "'", result);
  return Address(parsed, ::nl_addr_put);
}

using Route = std::unique_ptr<rtnl_route, void (*)(rtnl_route*)>;
// By which a route says who made it ("protocol" in ip-route(8)); nobody else's in /etc/iproute2/rt_protos.
constexpr std::uint8_t kOurRoutes = 117;

// "0.0.0.0/0" and "::/0" have no address, as routes have it.
Result<Address> parse_network(const std::string& text) {
  if (!text.ends_with("/0")) return parse_address(text, AF_UNSPEC);
  return parse_address("default", text.find(':') == std::string::npos ? AF_INET : AF_INET6);
}

std::string text_of(nl_addr* address) {
  char text[128];
  return ::nl_addr2str(address, text, sizeof text);
}

Route make_route(nl_addr* network, nl_addr* gateway, int device) {
  Route route(::rtnl_route_alloc(), ::rtnl_route_put);
  ::rtnl_route_set_protocol(route.get(), kOurRoutes);
  ::rtnl_route_set_dst(route.get(), network);
  rtnl_nexthop* const hop = ::rtnl_route_nh_alloc();
  ::rtnl_route_nh_set_ifindex(hop, device);
  ::rtnl_route_nh_set_gateway(hop, gateway);
  ::rtnl_route_add_nexthop(route.get(), hop);  // owned by the route now
  return route;
}

// Of two that each have one gateway.
bool same(rtnl_route* a, rtnl_route* b) {
  return ::nl_addr_cmp(::rtnl_route_get_dst(a), ::rtnl_route_get_dst(b)) == 0 &&
         ::nl_addr_cmp(::rtnl_route_nh_get_gateway(::rtnl_route_nexthop_n(a, 0)),
                       ::rtnl_route_nh_get_gateway(::rtnl_route_nexthop_n(b, 0))) == 0;
}

using Cache = std::unique_ptr<nl_cache, void (*)(nl_cache*)>;

// All that the kernel has of something; `fill` is libnl's ..._alloc_cache of it.
template <typename Fill>
Result<Cache> listed(const char* what, Fill fill) {
  nl_cache* filled = nullptr;
  if (const int result = fill(&filled); result < 0) return netlink_error(std::string("list ") + what, result);
  return Cache(filled, ::nl_cache_free);
}

// Those by that device that were set here, but these.
Status forget_routes(nl_sock* socket, int device, const std::vector<Route>& keep) {
  UMLFARM_ASSIGN(const Cache cache, listed("routes", [&](nl_cache** to) {
                   return ::rtnl_route_alloc_cache(socket, AF_UNSPEC, 0, to);
                 }));
  for (nl_object* each = ::nl_cache_get_first(cache.get()); each != nullptr;
       each = ::nl_cache_get_next(each)) {
    auto* const route = reinterpret_cast<rtnl_route*>(each);
    if (::rtnl_route_get_protocol(route) != kOurRoutes || ::rtnl_route_get_nnexthops(route) != 1) continue;
    rtnl_nexthop* const hop = ::rtnl_route_nexthop_n(route, 0);
    if (::rtnl_route_nh_get_ifindex(hop) != device || ::rtnl_route_nh_get_gateway(hop) == nullptr) continue;
    if (std::any_of(keep.begin(), keep.end(), [&](const Route& kept) { return same(kept.get(), route); }))
      continue;
    const int result = ::rtnl_route_delete(socket, route, 0);
    if (result < 0 && result != -NLE_OBJ_NOTFOUND) {
      return netlink_error("remove the route to " + text_of(::rtnl_route_get_dst(route)), result);
    }
  }
  return {};
}

}  // namespace

Result<Links> Links::open() {
  UMLFARM_ASSIGN(NetlinkSocket socket, open_netlink());
  return Links(std::move(socket));
}

Status Links::make_bridge(const std::string& name, const std::string& mac) {
  if (::if_nametoindex(name.c_str()) != 0) return {};
  UMLFARM_ASSIGN(const Address hardware, parse_address(mac, AF_LLC));
  Message message = link_message(NLM_F_CREATE | NLM_F_EXCL, {});
  ::nla_put_string(message.get(), IFLA_IFNAME, name.c_str());
  ::nla_put_addr(message.get(), IFLA_ADDRESS, hardware.get());
  nlattr* const info = ::nla_nest_start(message.get(), IFLA_LINKINFO);
  ::nla_put_string(message.get(), IFLA_INFO_KIND, "bridge");
  nlattr* const data = ::nla_nest_start(message.get(), IFLA_INFO_DATA);
  ::nla_put_u32(message.get(), IFLA_BR_FORWARD_DELAY, 0);
  ::nla_put_u32(message.get(), IFLA_BR_STP_STATE, 0);
  ::nla_put_u8(message.get(), IFLA_BR_MCAST_SNOOPING, 0);
  ::nla_nest_end(message.get(), data);
  ::nla_nest_end(message.get(), info);
  return send(socket_.get(), std::move(message), "make bridge " + name);
}

Status Links::bring_up(const std::string& name) { return bring_link_up(socket_.get(), name); }

Status Links::add_address(const std::string& name, const std::string& cidr) {
  UMLFARM_ASSIGN(const int index, index_of(name));
  UMLFARM_ASSIGN(const Address local, parse_address(cidr, AF_UNSPEC));
  const std::unique_ptr<rtnl_addr, void (*)(rtnl_addr*)> address(::rtnl_addr_alloc(), ::rtnl_addr_put);
  ::rtnl_addr_set_ifindex(address.get(), index);
  ::rtnl_addr_set_local(address.get(), local.get());
  const int result = ::rtnl_addr_add(socket_.get(), address.get(), 0);
  if (result < 0 && result != -NLE_EXIST) return netlink_error("give " + cidr + " to " + name, result);
  return {};
}

Status Links::set_address4(const std::string& name, const std::string& cidr) {
  UMLFARM_ASSIGN(const int index, index_of(name));
  UMLFARM_ASSIGN(const Address wanted, parse_address(cidr, AF_INET));
  UMLFARM_ASSIGN(const Cache cache, listed("addresses", [&](nl_cache** to) {
                   return ::rtnl_addr_alloc_cache(socket_.get(), to);
                 }));
  for (nl_object* each = ::nl_cache_get_first(cache.get()); each != nullptr;
       each = ::nl_cache_get_next(each)) {
    auto* const address = reinterpret_cast<rtnl_addr*>(each);
    if (::rtnl_addr_get_ifindex(address) != index || ::rtnl_addr_get_family(address) != AF_INET) continue;
    if (::nl_addr_cmp(::rtnl_addr_get_local(address), wanted.get()) == 0) continue;
    const int result = ::rtnl_addr_delete(socket_.get(), address, 0);
    if (result < 0 && result != -NLE_NOADDR)
      return netlink_error("take " + text_of(::rtnl_addr_get_local(address)) + " from " + name, result);
  }
  return add_address(name, cidr);
}

Status Links::make_veth(const std::string& name, const std::string& peer, int peer_namespace) {
  if (::if_nametoindex(name.c_str()) != 0) return {};
  Message message = link_message(NLM_F_CREATE | NLM_F_EXCL, {});
  ::nla_put_string(message.get(), IFLA_IFNAME, name.c_str());
  nlattr* const info = ::nla_nest_start(message.get(), IFLA_LINKINFO);
  ::nla_put_string(message.get(), IFLA_INFO_KIND, "veth");
  nlattr* const data = ::nla_nest_start(message.get(), IFLA_INFO_DATA);
  nlattr* const other = ::nla_nest_start(message.get(), VETH_INFO_PEER);
  ifinfomsg none{};
  ::nlmsg_append(message.get(), &none, sizeof none, NLMSG_ALIGNTO);
  ::nla_put_string(message.get(), IFLA_IFNAME, peer.c_str());
  ::nla_put_u32(message.get(), IFLA_NET_NS_FD, static_cast<std::uint32_t>(peer_namespace));
  ::nla_nest_end(message.get(), other);
  ::nla_nest_end(message.get(), data);
  ::nla_nest_end(message.get(), info);
  return send(socket_.get(), std::move(message), "make the pair " + name + " and " + peer);
}

Status Links::set_routes(const std::string& name, const std::map<std::string, std::string>& routes) {
  UMLFARM_ASSIGN(const int index, index_of(name));
  std::vector<Route> wanted;
  for (const auto& [network, gateway] : routes) {
    UMLFARM_ASSIGN(const Address to, parse_network(network));
    UMLFARM_ASSIGN(const Address by, parse_address(gateway, AF_UNSPEC));
    wanted.push_back(make_route(to.get(), by.get(), index));
  }
  UMLFARM_TRY(forget_routes(socket_.get(), index, wanted));
  for (const Route& route : wanted) {
    const int result = ::rtnl_route_add(socket_.get(), route.get(), 0);
    if (result < 0 && result != -NLE_EXIST)
      return netlink_error("route to " + text_of(::rtnl_route_get_dst(route.get())), result);
  }
  return {};
}

Status Links::remove(const std::string& name) { return remove_link(socket_.get(), name); }

Status Links::add_port(const std::string& name, const std::string& bridge, const std::string& mac,
                       bool isolated) {
  ifinfomsg info{};
  UMLFARM_ASSIGN(info.ifi_index, index_of(name));
  UMLFARM_ASSIGN(const int master, index_of(bridge));
  Message join = link_message(0, info);
  ::nla_put_u32(join.get(), IFLA_MASTER, static_cast<std::uint32_t>(master));
  UMLFARM_TRY(send(socket_.get(), std::move(join), "make " + name + " a port of " + bridge));
  ifinfomsg bridging = info;
  bridging.ifi_family = AF_BRIDGE;
  // As RTM_NEWLINK it would be taken, and mean nothing: the bridge reads a port's settings here alone.
  Message port = link_message(0, bridging, RTM_SETLINK);
  nlattr* const settings = ::nla_nest_start(port.get(), IFLA_PROTINFO | NLA_F_NESTED);
  ::nla_put_u8(port.get(), IFLA_BRPORT_ISOLATED, isolated ? 1 : 0);
  // Frames to link-local groups (802.1D) are learned from before any rule of the firewall sees them.
  ::nla_put_u8(port.get(), IFLA_BRPORT_LEARNING, 0);
  ::nla_put_u8(port.get(), IFLA_BRPORT_UNICAST_FLOOD, 0);
  ::nla_nest_end(port.get(), settings);
  UMLFARM_TRY(send(socket_.get(), std::move(port), "set up port " + name));
  UMLFARM_TRY(set_only_mac(info.ifi_index, mac));
  // The host speaks through the bridge, never as the tap.
  info.ifi_flags = IFF_UP | IFF_NOARP;
  info.ifi_change = info.ifi_flags;
  return send(socket_.get(), link_message(0, info), "bring up " + name);
}

Status Links::set_only_mac(int port, const std::string& mac) {
  UMLFARM_ASSIGN(const Address hardware, parse_address(mac, AF_LLC));
  const Neighbour entry(::rtnl_neigh_alloc(), ::rtnl_neigh_put);
  ::rtnl_neigh_set_family(entry.get(), AF_BRIDGE);
  ::rtnl_neigh_set_ifindex(entry.get(), port);
  ::rtnl_neigh_set_lladdr(entry.get(), hardware.get());
  ::rtnl_neigh_set_state(entry.get(), NUD_NOARP);
  ::rtnl_neigh_set_flags(entry.get(), NTF_MASTER);
  const int result = ::rtnl_neigh_add(socket_.get(), entry.get(), NLM_F_CREATE | NLM_F_REPLACE);
  return result < 0 ? Status(netlink_error("forwarding entry for " + mac, result)) : Status();
}

Status Links::set_neighbour(const std::string& name, const std::string& address, const std::string& mac) {
  UMLFARM_ASSIGN(const int index, index_of(name));
  UMLFARM_ASSIGN(const Address local, parse_address(address, AF_UNSPEC));
  UMLFARM_ASSIGN(const Address hardware, parse_address(mac, AF_LLC));
  const Neighbour entry(::rtnl_neigh_alloc(), ::rtnl_neigh_put);
  ::rtnl_neigh_set_ifindex(entry.get(), index);
  ::rtnl_neigh_set_dst(entry.get(), local.get());
  ::rtnl_neigh_set_lladdr(entry.get(), hardware.get());
  ::rtnl_neigh_set_state(entry.get(), NUD_PERMANENT);
  const int result = ::rtnl_neigh_add(socket_.get(), entry.get(), NLM_F_CREATE | NLM_F_REPLACE);
  return result < 0 ? Status(netlink_error("neighbour " + address, result)) : Status();
}

Status Links::forget_neighbour(const std::string& name, const std::string& address) {
  UMLFARM_ASSIGN(const int index, index_of(name));
  UMLFARM_ASSIGN(const Address local, parse_address(address, AF_UNSPEC));
  const Neighbour entry(::rtnl_neigh_alloc(), ::rtnl_neigh_put);
  ::rtnl_neigh_set_ifindex(entry.get(), index);
  ::rtnl_neigh_set_dst(entry.get(), local.get());
  const int result = ::rtnl_neigh_delete(socket_.get(), entry.get(), 0);
  if (result < 0 && result != -NLE_OBJ_NOTFOUND) return netlink_error("forget neighbour " + address, result);
  return {};
}

Status Links::keep_neighbours(const std::string& name, const std::set<std::string>& addresses) {
  UMLFARM_ASSIGN(const int index, index_of(name));
  UMLFARM_ASSIGN(const Cache cache, listed("neighbours", [&](nl_cache** to) {
                   return ::rtnl_neigh_alloc_cache(socket_.get(), to);
                 }));
  for (nl_object* each = ::nl_cache_get_first(cache.get()); each != nullptr;
       each = ::nl_cache_get_next(each)) {
    auto* const entry = reinterpret_cast<rtnl_neigh*>(each);
    const bool ours = ::rtnl_neigh_get_ifindex(entry) == index &&
                      (::rtnl_neigh_get_state(entry) & NUD_PERMANENT) != 0 &&
                      ::rtnl_neigh_get_dst(entry) != nullptr;
    if (!ours) continue;
    const std::string address = text_of(::rtnl_neigh_get_dst(entry));
    if (!addresses.contains(address)) UMLFARM_TRY(forget_neighbour(name, address));
  }
  return {};
}

Result<UniqueFd> open_tap(const std::string& name) {
  ifreq request{};
  if (name.size() >= sizeof request.ifr_name) {
    return Error(Kind::Invalid, "network device name '" + name + "': longer than 15 bytes");
  }
  UMLFARM_ASSIGN(UniqueFd tap, posix::open("/dev/net/tun", O_RDWR | O_NONBLOCK));
  std::memcpy(request.ifr_name, name.data(), name.size());
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  if (::ioctl(tap.get(), TUNSETIFF, &request) < 0) {
    if (errno == EBUSY) return Error(Kind::Unavailable, "tap " + name + " is still held by another process");
    return system_error("make tap " + name);
  }
  int header = 10;
  if (::ioctl(tap.get(), TUNSETVNETHDRSZ, &header) < 0) return system_error("set up tap " + name);
  return tap;
}

}  // namespace umlfarm::guest
