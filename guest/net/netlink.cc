#include "guest/net/netlink.h"

#include <net/if.h>

#include <cerrno>

namespace umlfarm::guest {

Result<NetlinkSocket> open_netlink() {
  NetlinkSocket socket(::nl_socket_alloc(), ::nl_socket_free);
  if (!socket) return Error(Kind::Internal, "no memory for a netlink socket");
  if (const int result = ::nl_connect(socket.get(), NETLINK_ROUTE); result < 0) {
    return netlink_error("netlink", result);
  }
  return socket;
}

Error netlink_error(const std::string& what, int code) {
  return {Kind::Unavailable, what + ": " + ::nl_geterror(code)};
}

Status send(nl_sock* socket, Message message, const std::string& what) {
  const int result = ::nl_send_sync(socket, message.release());
  return result < 0 ? Status(netlink_error(what, result)) : Status();
}

Result<int> index_of(const std::string& name) {
  const unsigned index = ::if_nametoindex(name.c_str());
  if (index == 0) return system_error("network device " + name);
  return static_cast<int>(index);
}

Message link_message(int flags, const ifinfomsg& info, int type) {
  Message message(::nlmsg_alloc_simple(type, flags), ::nlmsg_free);
  ifinfomsg copy = info;
  if (message) ::nlmsg_append(message.get(), &copy, sizeof copy, NLMSG_ALIGNTO);
  return message;
}

Status make_link(nl_sock* socket, const std::string& name, const char* kind) {
  if (::if_nametoindex(name.c_str()) != 0) return {};
  Message message = link_message(NLM_F_CREATE | NLM_F_EXCL, {});
  ::nla_put_string(message.get(), IFLA_IFNAME, name.c_str());
  nlattr* const info = ::nla_nest_start(message.get(), IFLA_LINKINFO);
  ::nla_put_string(message.get(), IFLA_INFO_KIND, kind);
  ::nla_nest_end(message.get(), info);
  return send(socket, std::move(message), std::string("make ") + kind + " device " + name);
}

Status bring_link_up(nl_sock* socket, const std::string& name) {
  ifinfomsg info{};
  UMLFARM_ASSIGN(info.ifi_index, index_of(name));
  info.ifi_flags = IFF_UP;
  info.ifi_change = IFF_UP;
  return send(socket, link_message(0, info), "bring up " + name);
}

Status remove_link(nl_sock* socket, const std::string& name) {
  const unsigned index = ::if_nametoindex(name.c_str());
  if (index == 0) return {};
  ifinfomsg info{};
  info.ifi_index = static_cast<int>(index);
  return send(socket, link_message(0, info, RTM_DELLINK), "remove " + name);
}

Result<std::vector<std::string>> links_named(std::string_view prefix) {
  const std::unique_ptr<struct if_nameindex, void (*)(struct if_nameindex*)> all(::if_nameindex(),
                                                                                 ::if_freenameindex);
  if (!all) return system_error("list network devices");
  std::vector<std::string> names;
  for (const struct if_nameindex* each = all.get(); each->if_index != 0; ++each) {
    if (std::string_view(each->if_name).starts_with(prefix)) names.emplace_back(each->if_name);
  }
  return names;
}

}  // namespace umlfarm::guest
