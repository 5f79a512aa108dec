// The farm's way out, where there is one: a veth pair from its namespace to the machine's. Guests' IPv4 is
// translated to the farm's end of it, and by the machine to an address of its own.
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

// Pure: the rules of libnftables, each text one transaction.
//
// In the farm's namespace: guests' packets go out and answers come back. Nothing goes from guest to guest,
// whom the bridge keeps apart, nor to link-local addresses, where clouds tell machines their secrets.
std::string uplink_farm_rules(const std::string& bridge, const std::string& device);
// On the machine: translation, and no service of the machine's own.
std::string uplink_machine_rules(const std::string& table, const std::string& device,
                                 const std::string& farm_address);

class Uplink {
 public:
  // `farm` tells farms on one machine apart: a hexadecimal id. Acts on nothing yet.
  explicit Uplink(const std::string& farm);

  // Idempotent. Unavailable, with the way out, where the machine does not forward IPv4.
  Status set_up(NetNamespace& space, const std::string& bridge, const UplinkAddresses& addresses) const;
  // Idempotent. `space` may be one that never had it.
  Status remove(NetNamespace& space) const;

 private:
  Status connect(const std::string& bridge, const UplinkAddresses& addresses, int machine_namespace) const;
  static Status disconnect();

  std::string device_;  // the machine's end
  std::string table_;   // the machine's
};

}  // namespace umlfarm::guest
