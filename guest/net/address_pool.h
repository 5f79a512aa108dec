// Addresses of guests, each by its index in the farm's pools. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "provisioner/base/result.h"

namespace umlfarm::guest {

struct Addresses {
  std::string address4;  // "10.77.0.2/16"
  std::string gateway4;  // "10.77.0.1"
  std::string address6;  // "fd77::2/64"; empty without IPv6
  std::string gateway6;
};

class AddressPool {
 public:
  // CIDRs whose first host address is the gateway's. IPv4 of /8 to /29, IPv6 of /8 to /96 or empty. Invalid
  // names the value and the rule.
  static Result<AddressPool> parse(const std::string& cidr4, const std::string& cidr6);

  // How many guests it has addresses for; indexes are 0 to size() - 1. Network, broadcast and gateway are
  // never given to one.
  std::uint64_t size() const { return (std::uint64_t{1} << (32U - prefix4_)) - 3; }
  Addresses at(std::uint32_t index) const;

  // Whether an IPv4 address, with or without a prefix, lies in the network of the pool.
  bool contains4(const std::string& address) const;

  std::string gateway4_cidr() const;
  std::string gateway6_cidr() const;  // empty without IPv6

 private:
  std::string host4(std::uint64_t number) const;
  std::string host6(std::uint64_t number) const;

  std::uint32_t network4_ = 0;  // host byte order
  unsigned prefix4_ = 0;
  bool has6_ = false;
  std::array<std::uint8_t, 16> network6_{};
  unsigned prefix6_ = 0;
};

// "10.77.0.2" of "10.77.0.2/16", and of itself.
std::string without_prefix(const std::string& cidr);

// A locally administered, unicast MAC that no two guests of a farm share.
std::string guest_mac(std::string_view farm_id, std::int64_t guest_number);

// The link-local address that a host derives from its MAC (RFC 4291, EUI-64), such as "fe80::ff:fe00:1".
std::string link_local(const std::string& mac);

}  // namespace umlfarm::guest
