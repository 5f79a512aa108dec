// Network devices by netlink, in the namespace of the thread that opened it.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "provisioner/base/result.h"
#include "provisioner/base/unique_fd.h"

struct nl_sock;

namespace umlfarm::guest {

class Links {
 public:
  static Result<Links> open();

  // Idempotent. With a MAC of its own: one that follows its ports would lose all neighbours at each change,
  // the permanent ones too (neigh_changeaddr).
  Status make_bridge(const std::string& name, const std::string& mac);
  Status bring_up(const std::string& name);
  Status add_address(const std::string& name, const std::string& cidr);
  // The same, in place of any other IPv4 address.
  Status set_address4(const std::string& name, const std::string& cidr);
  // A pair: `name` here, `peer` in the namespace of that descriptor.
  Status make_veth(const std::string& name, const std::string& peer, int peer_namespace);
  // The routes by `name` that are not the kernel's own: network -> gateway, each with what leads to it.
  // Others that were set here go, others' stay.
  Status set_routes(const std::string& name, const std::map<std::string, std::string>& routes);
  Status remove(const std::string& name);

  // Makes `name` a port of the bridge for a device of that MAC alone, and brings it up: the bridge learns
  // nothing there, and floods nothing to it. Isolated ports reach the bridge and no other isolated port.
  Status add_port(const std::string& name, const std::string& bridge, const std::string& mac, bool isolated);

  // Where an address on `name` is, whatever is said on the wire. Without prefix.
  Status set_neighbour(const std::string& name, const std::string& address, const std::string& mac);
  Status forget_neighbour(const std::string& name, const std::string& address);
  // Forgets those set above whose address is not among these.
  Status keep_neighbours(const std::string& name, const std::set<std::string>& addresses);

 private:
  using Socket = std::unique_ptr<nl_sock, void (*)(nl_sock*)>;
  explicit Links(Socket socket) : socket_(std::move(socket)) {}
  Status set_only_mac(int port, const std::string& mac);

  Socket socket_;
};

// A tap that lives as long as its descriptor: packets come and go with a 10-byte virtio-net header. In the
// namespace of the calling thread. Conflict when the name is taken.
Result<UniqueFd> open_tap(const std::string& name);

}  // namespace umlfarm::guest
