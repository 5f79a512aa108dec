#include "guest/net/firewall.h"

#include <algorithm>
#include <boost/json.hpp>

#include "guest/net/address_pool.h"

extern "C" {
#include <nftables/libnftables.h>
}

namespace umlfarm::guest {
namespace {

constexpr const char* kSets[] = {"bridge umlfarm macs", "bridge umlfarm sources4", "bridge umlfarm sources6",
                                 "inet umlfarm guests4", "inet umlfarm guests6"};

constexpr const char* kCountIn = "bridge umlfarm count_in";
constexpr const char* kCountOut = "bridge umlfarm count_out";
constexpr const char* kPacketsIn = "bridge umlfarm packets_in";
constexpr const char* kPacketsOut = "bridge umlfarm packets_out";
constexpr const char* kClosed = "bridge umlfarm closed";
constexpr const char* kCountSets[] = {kCountIn, kCountOut};
constexpr const char* kLimitSets[] = {kPacketsIn, kPacketsOut, kClosed};
// Of packets, what passes at once.
constexpr unsigned kBurstsASecond = 20;
constexpr unsigned kLeastBurstOfPackets = 16;

std::string element(const char* verb, const char* set, const std::string& tap, const std::string& more = {}) {
  return std::string(verb) + " element " + set + " { \"" + tap + "\"" + more + " }\n";
}

std::string forget(const char* set, const std::string& tap) {
  return element("add", set, tap) + element("delete", set, tap);
}

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

std::string ruleset(const std::string& bridge, const std::string& tap_prefix, bool isolate,
                    const std::string& made) {
  // The sets outlive a daemon's restart, so the tables are not made anew: only their rules are. What is
  // forwarded is for the uplink to say, where there is one: without, nothing is.
  return R"(
add table bridge umlfarm
add set bridge umlfarm macs { type ifname . ether_addr; }
add set bridge umlfarm sources4 { type ifname . ether_addr . ipv4_addr; }
add set bridge umlfarm sources6 { type ifname . ether_addr . ipv6_addr; }
add set bridge umlfarm count_in { type ifname; counter; }
add set bridge umlfarm count_out { type ifname; counter; comment ")" +
         made + R"("; }
add set bridge umlfarm packets_in { type ifname; limit rate over 1/second; }
add set bridge umlfarm packets_out { type ifname; limit rate over 1/second; }
add set bridge umlfarm closed { type ifname; }
add chain bridge umlfarm ports { type filter hook prerouting priority -300; policy accept; }
add chain bridge umlfarm deliver { type filter hook postrouting priority 300; policy accept; }
add chain bridge umlfarm guest
add chain bridge umlfarm passed
add chain bridge umlfarm guest4
add chain bridge umlfarm guest6
flush chain bridge umlfarm ports
flush chain bridge umlfarm deliver
flush chain bridge umlfarm guest
flush chain bridge umlfarm passed
flush chain bridge umlfarm guest4
flush chain bridge umlfarm guest6
add rule bridge umlfarm ports iifname ")" +
         tap_prefix + R"(*" jump guest
add rule bridge umlfarm deliver oifname @closed drop
add rule bridge umlfarm deliver oifname @packets_in drop
add rule bridge umlfarm deliver oifname @count_in
add rule bridge umlfarm guest iifname @closed drop
add rule bridge umlfarm guest iifname @packets_out drop
add rule bridge umlfarm guest iifname . ether saddr != @macs drop
add rule bridge umlfarm guest iifname . arp saddr ether . arp saddr ip @sources4 goto passed
add rule bridge umlfarm guest iifname . ether saddr . ip saddr @sources4 goto guest4
add rule bridge umlfarm guest iifname . ether saddr . ip6 saddr @sources6 goto guest6
add rule bridge umlfarm guest ip6 saddr :: icmpv6 type nd-neighbor-solicit goto passed
add rule bridge umlfarm guest drop
add rule bridge umlfarm guest4 udp sport 67 drop
add rule bridge umlfarm guest4 goto passed
add rule bridge umlfarm guest6 icmpv6 type { nd-router-advert, nd-redirect } drop
add rule bridge umlfarm guest6 udp sport 547 drop
add rule bridge umlfarm guest6 goto passed
add rule bridge umlfarm passed iifname @count_out
add rule bridge umlfarm passed accept
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
std::string forget_command(const Port& port) {
  std::string commands = each(port, "add") + each(port, "delete");
  for (const char* set : kLimitSets) commands += forget(set, port.tap);
  return commands;
}

std::string reset_command(const std::vector<LimitedPort>& ports) {
  std::string commands;
  for (const char* set : kSets) commands += std::string("flush set ") + set + "\n";
  for (const char* set : kLimitSets) commands += std::string("flush set ") + set + "\n";
  for (const LimitedPort& each : ports) commands += allow_command(each.port) + limit_command(each);
  return commands;
}

std::string limit_command(const LimitedPort& port) {
  const std::string& tap = port.port.tap;
  std::string commands;
  for (const char* set : kLimitSets) commands += forget(set, tap);
  for (const char* set : kCountSets) commands += element("add", set, tap);
  if (port.limits.closed) commands += element("add", kClosed, tap);
  if (port.limits.packets == 0) return commands;
  const std::string limit =
      " limit rate over " + std::to_string(port.limits.packets) + "/second burst " +
      std::to_string(std::max(kLeastBurstOfPackets, port.limits.packets / kBurstsASecond)) + " packets";
  for (const char* set : {kPacketsIn, kPacketsOut}) commands += element("add", set, tap, limit);
  return commands;
}

std::string forget_count_command(const std::string& tap) {
  std::string commands;
  for (const char* set : kCountSets) commands += forget(set, tap);
  return commands;
}

quota::Carried carried_by(const std::map<std::string, quota::Carried>& by_tap, const std::string& tap) {
  const auto found = by_tap.find(tap);
  return found == by_tap.end() ? quota::Carried() : found->second;
}

Result<Counters> read_counters(const std::string& in, const std::string& out) try {
  namespace json = boost::json;
  Counters counters;
  const auto read = [&](const std::string& printed, std::uint64_t quota::Carried::*way) {
    // The first entry says which version printed it.
    const json::value document = json::parse(printed);
    const json::object set = document.at("nftables").at(1).at("set").as_object();
    if (const json::value* const comment = set.if_contains("comment"))
      counters.made = json::value_to<std::string>(*comment);
    const json::value* const elements = set.if_contains("elem");
    if (elements == nullptr) return;
    for (const json::value& each : elements->as_array()) {
      const json::value& element = each.at("elem");
      const std::string tap = json::value_to<std::string>(element.at("val"));
      const json::value& counter = element.at("counter");
      counters.by_tap[tap].*way = counter.at("bytes").to_number<std::uint64_t>();
      counters.packets[tap].*way = counter.at("packets").to_number<std::uint64_t>();
    }
  };
  read(in, &quota::Carried::in);
  read(out, &quota::Carried::out);
  return counters;
} catch (const std::exception& failure) {
  return Error(Kind::Internal, std::string("the counters of nftables: ") + failure.what());
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
  return failure();
}

Result<std::string> Firewall::print(const std::string& command) {
  ::nft_ctx_output_set_flags(context_.get(), NFT_CTX_OUTPUT_JSON);
  const int result = ::nft_run_cmd_from_buffer(context_.get(), command.c_str());
  ::nft_ctx_output_set_flags(context_.get(), 0);
  if (result != 0) return failure();
  const char* const text = ::nft_ctx_get_output_buffer(context_.get());
  return std::string(text == nullptr ? "" : text);
}

Result<Counters> Firewall::counters() {
  UMLFARM_ASSIGN(const std::string in, print(std::string("list set ") + kCountIn));
  UMLFARM_ASSIGN(const std::string out, print(std::string("list set ") + kCountOut));
  return read_counters(in, out);
}

Error Firewall::failure() const {
  const char* const text = ::nft_ctx_get_error_buffer(context_.get());
  return {Kind::Unavailable, std::string("nftables: ") + (text == nullptr ? "failed" : text)};
}

}  // namespace umlfarm::guest
