#include "guest/net/shaper.h"

#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <netlink/route/act/mirred.h>
#include <netlink/route/classifier.h>
#include <netlink/route/cls/u32.h>
#include <netlink/route/qdisc.h>
#include <netlink/route/qdisc/tbf.h>

#include <algorithm>
#include <string_view>

#include "guest/net/netlink.h"

namespace umlfarm::guest {
namespace {

using Qdisc = std::unique_ptr<rtnl_qdisc, void (*)(rtnl_qdisc*)>;
using Filter = std::unique_ptr<rtnl_cls, void (*)(rtnl_cls*)>;

constexpr std::string_view kDevicePrefix = "ig";
// How long a packet waits at most before the queue is full, and the least that a queue holds: a segment of
// the largest size.
constexpr std::uint64_t kQueueMs = 50;
constexpr std::uint64_t kLeastQueue = 65'536;
// The kernel takes a burst as a time, in 32 bits of nanoseconds: 4.29 s.
constexpr std::uint64_t kMostBurstSeconds = 4;

// "ig17" of "tg17".
std::string shaping_device(const std::string& tap) { return "i" + tap.substr(1); }

Qdisc qdisc_of(int device, const char* kind, std::uint32_t parent, std::uint32_t handle) {
  Qdisc qdisc(::rtnl_qdisc_alloc(), ::rtnl_qdisc_put);
  rtnl_tc* const tc = TC_CAST(qdisc.get());
  ::rtnl_tc_set_ifindex(tc, device);
  ::rtnl_tc_set_parent(tc, parent);
  if (handle != 0) ::rtnl_tc_set_handle(tc, handle);
  if (kind != nullptr) ::rtnl_tc_set_kind(tc, kind);
  return qdisc;
}

Status forget_qdisc(nl_sock* socket, const std::string& device, std::uint32_t parent) {
  const unsigned index = ::if_nametoindex(device.c_str());
  if (index == 0) return {};
  const Qdisc qdisc = qdisc_of(static_cast<int>(index), nullptr, parent, 0);
  const int result = ::rtnl_qdisc_delete(socket, qdisc.get());
  // None but the kernel's own is there.
  if (result == -NLE_OBJ_NOTFOUND || result == -NLE_INVAL || result >= 0) return {};
  return netlink_error("free " + device + " of its rate", result);
}

}  // namespace

std::string shaped_tap(const std::string& device) {
  return device.starts_with(kDevicePrefix) ? "t" + device.substr(1) : "";
}

Result<Shaper> Shaper::open() {
  UMLFARM_ASSIGN(Socket socket, open_netlink());
  return Shaper(std::move(socket));
}

Status Shaper::shape(const std::string& tap, const Shape& shape) {
  if (shape.in.bits() == 0) {
    UMLFARM_TRY(forget_qdisc(socket_.get(), tap, TC_H_ROOT));
  } else {
    UMLFARM_TRY(limit(tap, shape.in, shape.burst));
  }
  if (shape.out.bits() == 0) return forget(tap);
  const std::string device = shaping_device(tap);
  UMLFARM_TRY(make_link(socket_.get(), device, "ifb"));
  UMLFARM_TRY(limit(device, shape.out, shape.burst));
  UMLFARM_TRY(bring_link_up(socket_.get(), device));
  return lead_through(tap, device);
}

Status Shaper::limit(const std::string& device, BitRate rate, ByteSize burst) {
  UMLFARM_ASSIGN(const int index, index_of(device));
  const Qdisc qdisc = qdisc_of(index, "tbf", TC_H_ROOT, TC_HANDLE(1, 0));
  const std::uint64_t queue = std::max(kLeastQueue, rate.bytes() * kQueueMs / 1000);
  const std::uint64_t most = std::min(burst.bytes(), rate.bytes() * kMostBurstSeconds);
  ::rtnl_qdisc_tbf_set_rate(qdisc.get(), static_cast<int>(rate.bytes()), static_cast<int>(most), 0);
  ::rtnl_qdisc_tbf_set_limit(qdisc.get(), static_cast<int>(queue));
  const int result = ::rtnl_qdisc_add(socket_.get(), qdisc.get(), NLM_F_CREATE | NLM_F_REPLACE);
  if (result >= 0) return {};
  return netlink_error("hold " + device + " to " + rate.str() + " a second", result);
}

// What the tap receives goes to the device, waits there, and comes back as if it had just come.
Status Shaper::lead_through(const std::string& tap, const std::string& device) {
  UMLFARM_ASSIGN(const int from, index_of(tap));
  UMLFARM_ASSIGN(const int to, index_of(device));
  const Qdisc ingress = qdisc_of(from, "ingress", TC_H_INGRESS, TC_HANDLE(0xffff, 0));
  int result = ::rtnl_qdisc_add(socket_.get(), ingress.get(), NLM_F_CREATE | NLM_F_EXCL);
  if (result < 0 && result != -NLE_EXIST) return netlink_error("take what " + tap + " receives", result);
  // Known by its priority: a second one is refused.
  const Filter filter(::rtnl_cls_alloc(), ::rtnl_cls_put);
  rtnl_tc* const tc = TC_CAST(filter.get());
  ::rtnl_tc_set_ifindex(tc, from);
  ::rtnl_tc_set_parent(tc, TC_HANDLE(0xffff, 0));
  ::rtnl_tc_set_handle(tc, 0x800U << 20U | 1U);
  ::rtnl_tc_set_kind(tc, "u32");
  ::rtnl_cls_set_prio(filter.get(), 1);
  ::rtnl_cls_set_protocol(filter.get(), ETH_P_ALL);
  ::rtnl_u32_add_key_uint32(filter.get(), 0, 0, 0, 0);
  rtnl_act* const redirect = ::rtnl_act_alloc();
  ::rtnl_tc_set_kind(TC_CAST(redirect), "mirred");
  ::rtnl_mirred_set_action(redirect, TCA_EGRESS_REDIR);
  ::rtnl_mirred_set_policy(redirect, TC_ACT_STOLEN);
  ::rtnl_mirred_set_ifindex(redirect, static_cast<std::uint32_t>(to));
  ::rtnl_u32_add_action(filter.get(), redirect);
  ::rtnl_u32_set_cls_terminal(filter.get());
  result = ::rtnl_cls_add(socket_.get(), filter.get(), NLM_F_CREATE | NLM_F_EXCL);
  ::rtnl_act_put(redirect);
  if (result < 0 && result != -NLE_EXIST) return netlink_error("lead " + tap + " through " + device, result);
  return {};
}

Status Shaper::forget(const std::string& tap) {
  // Before the device goes: what is led to none is lost.
  UMLFARM_TRY(forget_qdisc(socket_.get(), tap, TC_H_INGRESS));
  return remove_link(socket_.get(), shaping_device(tap));
}

Status Shaper::keep_only(const std::set<std::string>& taps) {
  UMLFARM_ASSIGN(const std::vector<std::string> devices, links_named(kDevicePrefix));
  for (const std::string& device : devices) {
    const std::string tap = shaped_tap(device);
    if (!taps.contains(tap)) UMLFARM_TRY(forget(tap));
  }
  return {};
}

}  // namespace umlfarm::guest
