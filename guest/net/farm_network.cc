#include "guest/net/farm_network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "guest/net/address_pool.h"
#include "guest/net/drops.h"
#include "guest/net/netlink.h"
#include "provisioner/base/ids.h"
#include "provisioner/base/posix.h"

namespace umlfarm::guest {
namespace {

constexpr const char* kBridge = "umlbr0";
// Guests' numbers begin with 1: of this one, the MAC is free for the bridge.
constexpr std::int64_t kNoGuest = 0;

// As the calling thread's namespace has it.
Status set(const std::string& name, const char* value) {
  return posix::write_existing("/proc/sys/net/" + name, value);
}

Status check_tap_name(const std::string& name) {
  if (name.starts_with(kTapPrefix)) return {};
  return Error(Kind::Invalid, "tap name '" + name + "': must begin with '" + kTapPrefix + "'");
}

Shape shape_of(const quota::TapLimits& limits) { return {limits.rate_in, limits.rate_out, limits.burst}; }

std::set<std::string> addresses_of(const Port& port) {
  std::set<std::string> addresses;
  const bool ipv6 = posix::exists("/proc/sys/net/ipv6");
  for (const std::string& cidr : {port.address4, ipv6 ? port.address6 : std::string()}) {
    if (!cidr.empty()) addresses.insert(without_prefix(cidr));
  }
  return addresses;
}

Status wait_connected(int socket, const std::string& where, int limit_ms) {
  pollfd watched{socket, POLLOUT, 0};
  int ready;
  do {
    ready = ::poll(&watched, 1, limit_ms);
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) return Error(Kind::Timeout, "connect to " + where + ": no answer");
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == 0) return {};
  return Error(Kind::Unavailable, std::error_code(error, std::generic_category()), "connect to " + where);
}

}  // namespace

Result<std::unique_ptr<FarmNetwork>> FarmNetwork::open(const std::string& namespace_path,
                                                       const NetworkConfig& config) {
  UMLFARM_ASSIGN(std::unique_ptr<NetNamespace> space, NetNamespace::create_or_open(namespace_path));
  std::unique_ptr<FarmNetwork> network(new FarmNetwork(namespace_path, config, std::move(space)));
  UMLFARM_TRY(network->space_->run([&] { return network->set_up(); }));
  const Uplink uplink(config.farm);
  UMLFARM_TRY(config.uplink ? uplink.set_up(*network->space_, kBridge, *config.uplink)
                            : uplink.remove(*network->space_, kBridge));
  return network;
}

FarmNetwork::~FarmNetwork() {
  if (!space_) return;
  space_->run([this] {
    shaper_.reset();
    firewall_.reset();
    links_.reset();
  });
}

Status FarmNetwork::set_up() {
  UMLFARM_ASSIGN(links_, Links::open());
  UMLFARM_ASSIGN(firewall_, Firewall::open());
  UMLFARM_ASSIGN(shaper_, Shaper::open());
  const bool ipv6 = posix::exists("/proc/sys/net/ipv6");
  // An address that is in use nowhere else need not wait to be found so.
  if (ipv6) UMLFARM_TRY(set("ipv6/conf/default/accept_dad", "0"));
  UMLFARM_TRY(firewall_->apply(ruleset(kBridge, kTapPrefix, config_.isolate, random_hex(8))));
  UMLFARM_TRY(links_->bring_up("lo"));
  UMLFARM_TRY(links_->make_bridge(kBridge, guest_mac(config_.farm, kNoGuest)));
  if (ipv6) UMLFARM_TRY(set(std::string("ipv6/conf/") + kBridge + "/accept_ra", "0"));
  UMLFARM_TRY(links_->add_address(kBridge, config_.gateway4));
  if (ipv6 && !config_.gateway6.empty()) UMLFARM_TRY(links_->add_address(kBridge, config_.gateway6));
  return links_->bring_up(kBridge);
}

Result<UniqueFd> FarmNetwork::attach_guest(const LimitedPort& guest) {
  const Port& port = guest.port;
  UMLFARM_TRY(check_tap_name(port.tap));
  return space_->run([&]() -> Result<UniqueFd> {
    UMLFARM_ASSIGN(UniqueFd tap, open_tap(port.tap));
    UMLFARM_TRY(firewall_->apply(allow_command(port) + limit_command(guest)));
    UMLFARM_TRY(shaper_->shape(port.tap, shape_of(guest.limits)));
    if (posix::exists("/proc/sys/net/ipv6")) UMLFARM_TRY(set("ipv6/conf/" + port.tap + "/disable_ipv6", "1"));
    for (const std::string& address : addresses_of(port)) {
      UMLFARM_TRY(links_->set_neighbour(kBridge, address, port.mac));
    }
    UMLFARM_TRY(links_->add_port(port.tap, kBridge, port.mac, config_.isolate));
    return tap;
  });
}

Result<bool> FarmNetwork::limit_guest(const LimitedPort& guest) {
  UMLFARM_TRY(check_tap_name(guest.port.tap));
  return space_->run([&]() -> Result<bool> {
    if (::if_nametoindex(guest.port.tap.c_str()) == 0) return false;
    UMLFARM_TRY(firewall_->apply(limit_command(guest)));
    UMLFARM_TRY(shaper_->shape(guest.port.tap, shape_of(guest.limits)));
    return true;
  });
}

Status FarmNetwork::detach_guest(const Port& port) {
  UMLFARM_TRY(check_tap_name(port.tap));
  return space_->run([&]() -> Status {
    UMLFARM_TRY(firewall_->apply(forget_command(port)));
    UMLFARM_TRY(shaper_->forget(port.tap));
    for (const std::string& address : addresses_of(port)) {
      UMLFARM_TRY(links_->forget_neighbour(kBridge, address));
    }
    return {};
  });
}

Status FarmNetwork::keep_only(const std::vector<LimitedPort>& guests) {
  std::set<std::string> addresses;
  std::set<std::string> taps;
  for (const LimitedPort& guest : guests) {
    addresses.merge(addresses_of(guest.port));
    taps.insert(guest.port.tap);
  }
  return space_->run([&]() -> Status {
    UMLFARM_TRY(firewall_->apply(reset_command(guests)));
    UMLFARM_TRY(shaper_->keep_only(taps));
    for (const LimitedPort& guest : guests) {
      if (::if_nametoindex(guest.port.tap.c_str()) == 0) continue;
      // One that this host can't hold must not keep the others from being served: whoever limits it next is
      // told.
      (void)!shaper_->shape(guest.port.tap, shape_of(guest.limits));
    }
    return links_->keep_neighbours(kBridge, addresses);
  });
}

Result<Counters> FarmNetwork::counters() {
  return space_->run([&] { return firewall_->counters(); });
}

Result<std::map<std::string, quota::Carried>> FarmNetwork::dropped() {
  return space_->run([&]() -> Result<std::map<std::string, quota::Carried>> {
    UMLFARM_ASSIGN(const NetlinkSocket socket, open_netlink());
    return dropped_packets(socket.get(), kTapPrefix);
  });
}

Status FarmNetwork::forget_count(const std::string& tap) {
  return space_->run([&] { return firewall_->apply(forget_count_command(tap)); });
}

Result<UniqueFd> FarmNetwork::connect_tcp(const std::string& address, std::uint16_t port, int limit_ms) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  if (::inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1) {
    return Error(Kind::Invalid, "address '" + address + "': not IPv4");
  }
  UniqueFd socket(
      space_->run([] { return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }));
  if (!socket) return system_error("socket");
  const std::string where = address + " port " + std::to_string(port);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0 &&
      errno != EINPROGRESS) {
    return Error(Kind::Unavailable, std::error_code(errno, std::generic_category()), "connect to " + where);
  }
  UMLFARM_TRY(wait_connected(socket.get(), where, limit_ms));
  return socket;
}

Status FarmNetwork::remove() {
  UMLFARM_TRY(Uplink(config_.farm).remove(*space_, kBridge));
  return NetNamespace::remove(path_);
}

}  // namespace umlfarm::guest
