#include "guest/net/links.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_bridge.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netlink/addr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>

#include "provisioner/base/posix.h"

namespace umlfarm::guest {
namespace {

using Message = std::unique_ptr<nl_msg, void (*)(nl_msg*)>;

Error netlink_error(const std::string& what, int code) {
  return {Kind::Unavailable, what + ": " + ::nl_geterror(code)};
}

Result<int> index_of(const std::string& name) {
  const unsigned index = ::if_nametoindex(name.c_str());
  if (index == 0) return system_error("network device " + name);
  return static_cast<int>(index);
}

Message link_message(int flags, const ifinfomsg& info, int type = RTM_NEWLINK) {
  Message message(::nlmsg_alloc_simple(type, flags), ::nlmsg_free);
  ifinfomsg copy = info;
  if (message) ::nlmsg_append(message.get(), &copy, sizeof copy, NLMSG_ALIGNTO);
  return message;
}

// Sends and waits for the kernel's verdict.
Status send(nl_sock* socket, Message message, const std::string& what) {
  const int result = ::nl_send_sync(socket, message.release());
  return result < 0 ? Status(netlink_error(what, result)) : Status();
}

}  // namespace

Result<Links> Links::open() {
  Socket socket(::nl_socket_alloc(), ::nl_socket_free);
  if (!socket) return Error(Kind::Internal, "no memory for a netlink socket");
  if (const int result = ::nl_connect(socket.get(), NETLINK_ROUTE); result < 0) {
    return netlink_error("netlink", result);
  }
  return Links(std::move(socket));
}

Status Links::make_bridge(const std::string& name) {
  if (::if_nametoindex(name.c_str()) != 0) return {};
  Message message = link_message(NLM_F_CREATE | NLM_F_EXCL, {});
  ::nla_put_string(message.get(), IFLA_IFNAME, name.c_str());
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

Status Links::bring_up(const std::string& name) {
  ifinfomsg info{};
  UMLFARM_ASSIGN(info.ifi_index, index_of(name));
  info.ifi_flags = IFF_UP;
  info.ifi_change = IFF_UP;
  return send(socket_.get(), link_message(0, info), "bring up " + name);
}

Status Links::add_address(const std::string& name, const std::string& cidr) {
  UMLFARM_ASSIGN(const int index, index_of(name));
  nl_addr* parsed = nullptr;
  if (const int result = ::nl_addr_parse(cidr.c_str(), AF_UNSPEC, &parsed); result < 0) {
    return netlink_error("address " + cidr, result);
  }
  const std::unique_ptr<nl_addr, void (*)(nl_addr*)> local(parsed, ::nl_addr_put);
  const std::unique_ptr<rtnl_addr, void (*)(rtnl_addr*)> address(::rtnl_addr_alloc(), ::rtnl_addr_put);
  ::rtnl_addr_set_ifindex(address.get(), index);
  ::rtnl_addr_set_local(address.get(), local.get());
  const int result = ::rtnl_addr_add(socket_.get(), address.get(), 0);
  if (result < 0 && result != -NLE_EXIST) return netlink_error("give " + cidr + " to " + name, result);
  return {};
}

Status Links::enslave(const std::string& name, const std::string& bridge, bool isolated) {
  ifinfomsg info{};
  UMLFARM_ASSIGN(info.ifi_index, index_of(name));
  UMLFARM_ASSIGN(const int master, index_of(bridge));
  Message join = link_message(0, info);
  ::nla_put_u32(join.get(), IFLA_MASTER, static_cast<std::uint32_t>(master));
  UMLFARM_TRY(send(socket_.get(), std::move(join), "make " + name + " a port of " + bridge));
  info.ifi_family = AF_BRIDGE;
  // As RTM_NEWLINK it would be taken, and mean nothing: the bridge reads a port's settings here alone.
  Message port = link_message(0, info, RTM_SETLINK);
  nlattr* const settings = ::nla_nest_start(port.get(), IFLA_PROTINFO | NLA_F_NESTED);
  ::nla_put_u8(port.get(), IFLA_BRPORT_ISOLATED, isolated ? 1 : 0);
  ::nla_nest_end(port.get(), settings);
  return send(socket_.get(), std::move(port), "isolate " + name);
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
