#include "guest/net/address_pool.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstdio>

#include "provisioner/base/ids.h"

namespace umlfarm::guest {
namespace {

struct Cidr {
  std::string address;
  unsigned prefix = 0;
};

Result<Cidr> split(const std::string& text, unsigned least, unsigned most) {
  const std::size_t slash = text.find('/');
  unsigned prefix = 0;
  bool good = slash != std::string::npos;
  if (good) {
    const auto [end, error] = std::from_chars(text.data() + slash + 1, text.data() + text.size(), prefix);
    good = error == std::errc() && end == text.data() + text.size() && prefix >= least && prefix <= most;
  }
  if (good) return Cidr{text.substr(0, slash), prefix};
  return Error(Kind::Invalid, "address pool '" + text + "': must be ADDRESS/PREFIX with a prefix of " +
                                  std::to_string(least) + " to " + std::to_string(most));
}

Error not_a_network(const std::string& cidr, const char* family) {
  return {Kind::Invalid,
          "address pool '" + cidr + "': not " + family + ", or bits are set to the right of its prefix"};
}

// Whether all bits to the right of the prefix are zero.
template <std::size_t N>
bool is_network(const std::array<std::uint8_t, N>& bytes, unsigned prefix) {
  for (unsigned bit = prefix; bit < N * 8; ++bit) {
    if ((bytes[bit / 8] & (0x80U >> bit % 8)) != 0) return false;
  }
  return true;
}

constexpr std::uint64_t kGateway = 1;
constexpr std::uint64_t kFirstGuest = 2;

}  // namespace

Result<AddressPool> AddressPool::parse(const std::string& cidr4, const std::string& cidr6) {
  AddressPool pool;
  UMLFARM_ASSIGN(const Cidr four, split(cidr4, 8, 29));
  std::array<std::uint8_t, 4> bytes4{};
  if (::inet_pton(AF_INET, four.address.c_str(), bytes4.data()) != 1 || !is_network(bytes4, four.prefix)) {
    return not_a_network(cidr4, "IPv4");
  }
  for (const std::uint8_t byte : bytes4) pool.network4_ = pool.network4_ << 8U | byte;
  pool.prefix4_ = four.prefix;
  if (cidr6.empty()) return pool;
  UMLFARM_ASSIGN(const Cidr six, split(cidr6, 8, 96));
  if (::inet_pton(AF_INET6, six.address.c_str(), pool.network6_.data()) != 1 ||
      !is_network(pool.network6_, six.prefix)) {
    return not_a_network(cidr6, "IPv6");
  }
  pool.prefix6_ = six.prefix;
  pool.has6_ = true;
  return pool;
}

std::string AddressPool::host4(std::uint64_t number) const {
  const in_addr address{htonl(network4_ + static_cast<std::uint32_t>(number))};
  char text[INET_ADDRSTRLEN];
  return ::inet_ntop(AF_INET, &address, text, sizeof text);
}

std::string AddressPool::host6(std::uint64_t number) const {
  std::array<std::uint8_t, 16> bytes = network6_;
  for (std::size_t i = 0; i < 4; ++i) bytes[15 - i] = static_cast<std::uint8_t>(number >> 8 * i);
  char text[INET6_ADDRSTRLEN];
  return ::inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
}

Addresses AddressPool::at(std::uint32_t index) const {
  const std::uint64_t number = index + kFirstGuest;
  Addresses addresses{host4(number) + "/" + std::to_string(prefix4_), host4(kGateway), {}, {}};
  if (has6_) {
    addresses.address6 = host6(number) + "/" + std::to_string(prefix6_);
    addresses.gateway6 = host6(kGateway);
  }
  return addresses;
}

bool AddressPool::contains4(const std::string& address) const {
  in_addr parsed{};
  if (::inet_pton(AF_INET, without_prefix(address).c_str(), &parsed) != 1) return false;
  const unsigned host_bits = 32U - prefix4_;
  return ntohl(parsed.s_addr) >> host_bits == network4_ >> host_bits;
}

std::string AddressPool::gateway4_cidr() const { return host4(kGateway) + "/" + std::to_string(prefix4_); }

std::string AddressPool::gateway6_cidr() const {
  return has6_ ? host6(kGateway) + "/" + std::to_string(prefix6_) : "";
}

std::string without_prefix(const std::string& cidr) { return cidr.substr(0, cidr.find('/')); }

std::string guest_mac(std::string_view farm_id, std::int64_t guest_number) {
  const std::string farm = sha256(farm_id);
  char text[18];
  const auto number = static_cast<unsigned>(guest_number);
  std::snprintf(text, sizeof text, "02:%.2s:%.2s:%02x:%02x:%02x", farm.c_str(), farm.c_str() + 2,
                number >> 16U & 0xffU, number >> 8U & 0xffU, number & 0xffU);
  return text;
}

std::string link_local(const std::string& mac) {
  std::array<unsigned, 6> m{};
  if (std::sscanf(mac.c_str(), "%x:%x:%x:%x:%x:%x", &m[0], &m[1], &m[2], &m[3], &m[4], &m[5]) != 6) return {};
  const std::array<unsigned, 16> bytes{0xfe,      0x80, 0,    0,    0,    0,    0,    0,
                                       m[0] ^ 2U, m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]};
  std::array<std::uint8_t, 16> raw{};
  for (std::size_t i = 0; i < raw.size(); ++i) raw[i] = static_cast<std::uint8_t>(bytes[i]);
  char text[INET6_ADDRSTRLEN];
  return ::inet_ntop(AF_INET6, raw.data(), text, sizeof text);
}

}  // namespace umlfarm::guest
