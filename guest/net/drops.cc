#include "guest/net/drops.h"

#include <netlink/route/link.h>
#include <netlink/route/qdisc.h>

#include <memory>
#include <string_view>

#include "guest/net/netlink.h"
#include "guest/net/shaper.h"

namespace umlfarm::guest {
namespace {

using Cache = std::unique_ptr<nl_cache, void (*)(nl_cache*)>;

template <typename Visit>
void each_object(const Cache& cache, Visit visit) {
  for (nl_object* object = ::nl_cache_get_first(cache.get()); object != nullptr;
       object = ::nl_cache_get_next(object)) {
    visit(object);
  }
}

}  // namespace

Result<std::map<std::string, quota::Carried>> dropped_packets(nl_sock* socket,
                                                              const std::string& tap_prefix) {
  nl_cache* raw = nullptr;
  int result = ::rtnl_link_alloc_cache(socket, AF_UNSPEC, &raw);
  if (result < 0) return netlink_error("list network devices", result);
  const Cache links(raw, ::nl_cache_free);
  result = ::rtnl_qdisc_alloc_cache(socket, &raw);
  if (result < 0) return netlink_error("list queues", result);
  const Cache queues(raw, ::nl_cache_free);
  std::map<std::string, quota::Carried> dropped;
  std::map<int, std::uint64_t*> by_device;
  each_object(links, [&](nl_object* object) {
    auto* const link = reinterpret_cast<rtnl_link*>(object);
    const std::string name = ::rtnl_link_get_name(link);
    if (name.starts_with(tap_prefix)) {
      // What the device sends is what the guest receives.
      dropped[name].in += ::rtnl_link_get_stat(link, RTNL_LINK_TX_DROPPED);
      dropped[name].out += ::rtnl_link_get_stat(link, RTNL_LINK_RX_DROPPED);
      by_device[::rtnl_link_get_ifindex(link)] = &dropped[name].in;
    } else if (const std::string tap = shaped_tap(name); tap.starts_with(tap_prefix)) {
      by_device[::rtnl_link_get_ifindex(link)] = &dropped[tap].out;
    }
  });
  each_object(queues, [&](nl_object* object) {
    auto* const queue = reinterpret_cast<rtnl_tc*>(object);
    const auto found = by_device.find(::rtnl_tc_get_ifindex(queue));
    const char* const kind = ::rtnl_tc_get_kind(queue);
    if (found != by_device.end() && kind != nullptr && std::string_view(kind) == "tbf")
      *found->second += ::rtnl_tc_get_stat(queue, RTNL_TC_DROPS);
  });
  return dropped;
}

}  // namespace umlfarm::guest
