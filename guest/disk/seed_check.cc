#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "guest/disk/seed.h"
#include "guest/disk/ssh_key.h"
#include "provisioner/base/ids.h"
#include "provisioner/base/printable.h"

namespace umlfarm::guest {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
bool is_alphanumeric(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

template <typename Test>
bool all(std::string_view text, Test test) {
  return std::all_of(text.begin(), text.end(), test);
}

Status require(bool good, std::string_view what, std::string_view value, std::string_view rule) {
  if (good) return {};
  return Error(Kind::Invalid, "seed: " + std::string(what) + " '" + printable(value.substr(0, 80)) +
                                  "' is not allowed: " + std::string(rule));
}

bool is_seed_id(std::string_view id) {
  return !id.empty() && id.size() <= 64 &&
         all(id, [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         all(label, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

// Linux takes host names of up to 64 bytes.
bool is_hostname(std::string_view name) {
  if (name.size() > 64) return false;
  while (true) {
    const auto dot = name.find('.');
    if (!is_label(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

bool is_mac(std::string_view mac) {
  if (mac.size() != 17) return false;
  for (std::size_t i = 0; i < mac.size(); ++i) {
    if (i % 3 == 2 ? mac[i] != ':' : !is_lower_hex(mac[i])) return false;
  }
  return true;
}

bool is_address(int family, const std::string& text) {
  in6_addr address{};
  return text.find('\0') == std::string::npos && ::inet_pton(family, text.c_str(), &address) == 1;
}

bool is_cidr(int family, const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos || !is_address(family, text.substr(0, slash))) return false;
  const char* const first = text.data() + slash + 1;
  const char* const last = text.data() + text.size();
  unsigned prefix = 0;
  const auto [end, status] = std::from_chars(first, last, prefix);
  return status == std::errc{} && end == last && prefix <= (family == AF_INET ? 32U : 128U);
}

Status check_family(int family, const std::string& address, const std::string& gateway) {
  const std::string name = family == AF_INET ? "IPv4" : "IPv6";
  const std::string example = family == AF_INET ? "10.0.0.5/24" : "fd00::5/64";
  UMLFARM_TRY(require(address.empty() || is_cidr(family, address), name + " address", address,
                      "write it with its prefix length, such as " + example));
  return require(gateway.empty() || (is_address(family, gateway) && !address.empty()), name + " gateway",
                 gateway, "write an address without prefix length, and only beside an " + name + " address");
}

Status check_network(const Seed& seed) {
  UMLFARM_TRY(
      require(is_mac(seed.mac), "MAC", seed.mac, "write six lower-case pairs such as 02:00:00:00:00:01"));
  UMLFARM_TRY(check_family(AF_INET, seed.address4, seed.gateway4));
  UMLFARM_TRY(check_family(AF_INET6, seed.address6, seed.gateway6));
  for (const auto& server : seed.dns) {
    UMLFARM_TRY(require(is_address(AF_INET, server) || is_address(AF_INET6, server), "DNS server", server,
                        "write an IPv4 or IPv6 address"));
  }
  return {};
}

Status check_secrets(const Seed& seed) {
  // The hash is a secret: it is not shown.
  if (seed.root_password_hash) {
    UMLFARM_TRY(require(is_password_hash(*seed.root_password_hash), "root password hash", "(hidden)",
                        "make one with mkpasswd or openssl passwd -6"));
  }
  for (const auto& key : seed.ssh_keys) {
    if (auto checked = check_ssh_key(key); !checked) return std::move(checked).error().context("seed");
  }
  const HostKey& key = seed.host_key;
  UMLFARM_TRY(check_ssh_key(key.public_line));
  return require(!key.openssh_private.empty() && !key.dropbear_private.empty(), "host key", "(hidden)",
                 "make one with make_host_key()");
}

}  // namespace

bool is_password_hash(std::string_view hash) {
  return hash.size() >= 8 && hash.size() <= 384 && hash.front() == '$' && all(hash, [](char c) {
           return is_alphanumeric(c) || std::string_view("$./,=+_-").find(c) != std::string_view::npos;
         });
}

Status check_seed(const Seed& seed) {
  UMLFARM_TRY(require(is_seed_id(seed.seed_id), "seed id", seed.seed_id, "use 1 to 64 of A-Z a-z 0-9 . _ -"));
  UMLFARM_TRY(check_name("guest name", seed.name));
  UMLFARM_TRY(require(is_hostname(seed.hostname), "host name", seed.hostname,
                      "use labels of a-z, 0-9 and '-' with dots between, 64 bytes at most"));
  UMLFARM_TRY(require(seed.machine_id.size() == 32 && all(seed.machine_id, is_lower_hex), "machine id",
                      seed.machine_id, "use 32 lower-case hexadecimal digits"));
  UMLFARM_TRY(check_network(seed));
  return check_secrets(seed);
}

}  // namespace umlfarm::guest
