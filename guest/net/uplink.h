// The farm's way out, where there is one: a veth pair from its namespace to the machine's.
//
// Without routes, guests' IPv4 is translated to the farm's end of it, and by the machine to an address of its
// own: they reach the world, and it does not reach them. With routes, guests are known by their own
// addresses, and who is told that the way to them is by this machine reaches them.
#pragma once

#include <optional>
#include <string>

#include "guest/net/net_namespace.h"
#include "provisioner/base/result.h"

namespace umlfarm::guest {

// The two ends, with their prefix.
struct UplinkAddresses {
  std::string machine;  // "10.78.0.1/30"
  std::string farm;     // "10.78.0.2/30"
};

// Of a transfer network, an IPv4 /30. Invalid names the value and the rule.
Result<UplinkAddresses> uplink_addresses(const std::string& cidr);

struct UplinkConfig {
  UplinkAddresses ends;
  // Guests' networks, "10.77.0.0/16"; empty where they are translated. Without the first there is no second.
  std::string routed4 = {};
  std::string routed6 = {};
};

// Pure: the rules of libnftables, each text one transaction.
//
// In the farm's namespace, beside the rules of guests (firewall.h): guests' packets go out, and answers come
// back, or with routes whatever is for a guest that there is. Nothing goes from guest to guest, whom the
// bridge keeps apart, nor to the addresses where clouds tell machines their secrets.
std::string uplink_farm_rules(const std::string& bridge, const std::string& device,
                              const UplinkConfig& config);
// On the machine: translation, or nothing but guests' own addresses; and no service of the machine's own.
std::string uplink_machine_rules(const std::string& table, const std::string& device,
                                 const UplinkConfig& config);

class Uplink {
 public:
  // `farm` tells farms on one machine apart: a hexadecimal id. Acts on nothing yet.
  explicit Uplink(const std::string& farm);

  // Idempotent. Unavailable, with the way out, where the machine does not forward what is to go through it.
  Status set_up(NetNamespace& space, const std::string& bridge, const UplinkConfig& config) const;
  // Idempotent. `space` may be one that never had it.
  Status remove(NetNamespace& space, const std::string& bridge) const;

 private:
  Status connect(const std::string& bridge, const UplinkConfig& config, int machine_namespace) const;
  Status set_up_machine(const UplinkConfig& config) const;
  static Status disconnect(const std::string& bridge);

  std::string device_;  // the machine's end
  std::string table_;   // the machine's
};

}  // namespace umlfarm::guest
