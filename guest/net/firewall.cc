#include "guest/net/firewall.h"

#include "guest/net/address_pool.h"

extern "C" {
#include <nftables/libnftables.h>
}

namespace umlfarm::guest {
namespace {

constexpr const char* kSets[] = {"bridge umlfarm macs", "bridge umlfarm sources4", "bridge umlfarm sources6",
                                 "inet umlfarm guests4", "inet umlfarm guests6"};

// The elements that let a port speak, and be spoken to from beyond an uplink, as "SET ELEMENT" pairs.
std::vector<std::pair<std::string, std::string>> elements(const Port& port) {
  const std::string who = "\"" + port.tap + "\" . " + port.mac;
  std::vector<std::pair<std::string, std::string>> list{
      {"bridge umlfarm macs", who}, {"bridge umlfarm sources6", who + " . " + link_local(port.mac)}};
  if (!port.address4.empty()) {
    const std::string address = without_prefix(port.address4);
    list.emplace_back("bridge umlfarm sources4", who + " . " + address);
    list.emplace_back("inet umlfarm guests4", address);
  }
  if (!port.address6.empty()) {
    const std::string address = without_prefix(port.address6);
    list.emplace_back("bridge umlfarm sources6", who + " . " + address);
    list.emplace_back("inet umlfarm guests6", address);
  }
  return list;
}

std::string each(const Port& port, const char* verb) {
  std::string commands;
  for (const auto& [set, element] : elements(port)) {
    commands += std::string(verb) + " element " + set + " { " + element + " }\n";
  }
  return commands;
}

}  // namespace

std::string ruleset(const std::string& bridge, const std::string& tap_prefix, bool isolate) {
  // The sets outlive a daemon's restart, so the tables are not made anew: only their rules are. What is
  // forwarded is for the uplink to say, where there is one: without, nothing is.
  return R"(
add table bridge umlfarm
add set bridge umlfarm macs { type ifname . ether_addr; }
add set bridge umlfarm sources4 { type ifname . ether_addr . ipv4_addr; }
add set bridge umlfarm sources6 { type ifname . ether_addr . ipv6_addr; }
add chain bridge umlfarm ports { type filter hook prerouting priority -300; policy accept; }
add chain bridge umlfarm guest
add chain bridge umlfarm guest4
add chain bridge umlfarm guest6
flush chain bridge umlfarm ports
flush chain bridge umlfarm guest
flush chain bridge umlfarm guest4
flush chain bridge umlfarm guest6
add rule bridge umlfarm ports iifname ")" +
         tap_prefix + R"(*" jump guest
add rule bridge umlfarm guest iifname . ether saddr != @macs drop
add rule bridge umlfarm guest iifname . arp saddr ether . arp saddr ip @sources4 accept
add rule bridge umlfarm guest iifname . ether saddr . ip saddr @sources4 goto guest4
add rule bridge umlfarm guest iifname . ether saddr . ip6 saddr @sources6 goto guest6
add rule bridge umlfarm guest ip6 saddr :: icmpv6 type nd-neighbor-solicit accept
add rule bridge umlfarm guest drop
add rule bridge umlfarm guest4 udp sport 67 drop
add rule bridge umlfarm guest4 accept
add rule bridge umlfarm guest6 icmpv6 type { nd-router-advert, nd-redirect } drop
add rule bridge umlfarm guest6 udp sport 547 drop
add rule bridge umlfarm guest6 accept
add table inet umlfarm
add set inet umlfarm guests4 { type ipv4_addr; }
add set inet umlfarm guests6 { type ipv6_addr; }
add chain inet umlfarm forward { type filter hook forward priority 0; policy drop; }
add chain inet umlfarm neighbours
flush chain inet umlfarm neighbours
add chain inet umlfarm input { type filter hook input priority 0; policy accept; }
add chain inet umlfarm guests
flush chain inet umlfarm input
flush chain inet umlfarm guests
add rule inet umlfarm input iifname ")" +
         tap_prefix + R"(*" drop
add rule inet umlfarm input iifname ")" +
         bridge + R"(" jump guests
add rule inet umlfarm guests ct state established,related accept
add rule inet umlfarm guests icmp type echo-request accept
add rule inet umlfarm guests icmpv6 type { echo-request, nd-neighbor-solicit, nd-neighbor-advert } accept
add rule inet umlfarm guests drop
)" + (isolate ? "" : "add rule inet umlfarm neighbours accept\n");
}

std::string allow_command(const Port& port) { return each(port, "add"); }

// Adding what is there is no error, deleting what is not there is one: together they never are.
std::string forget_command(const Port& port) { return each(port, "add") + each(port, "delete"); }

std::string reset_command(const std::vector<Port>& ports) {
  std::string commands;
  for (const char* set : kSets) commands += std::string("flush set ") + set + "\n";
  for (const Port& port : ports) commands += allow_command(port);
  return commands;
}

Result<Firewall> Firewall::open() {
  Context context(::nft_ctx_new(NFT_CTX_DEFAULT), ::nft_ctx_free);
  if (!context) return Error(Kind::Unavailable, "nftables: no context");
  ::nft_ctx_buffer_error(context.get());
  ::nft_ctx_buffer_output(context.get());
  return Firewall(std::move(context));
}

Status Firewall::apply(const std::string& commands) {
  if (::nft_run_cmd_from_buffer(context_.get(), commands.c_str()) == 0) return {};
  const char* const text = ::nft_ctx_get_error_buffer(context_.get());
  return Error(Kind::Unavailable, std::string("nftables: ") + (text == nullptr ? "failed" : text));
}

}  // namespace umlfarm::guest
