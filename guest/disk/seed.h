// The seed: what a guest's first boot is told, as a tar archive that is its second or third disk.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "guest/disk/host_key.h"
#include "provisioner/base/result.h"

namespace umlfarm::guest {

struct Seed {
  std::string seed_id;           // changes when the guest is to take its seed again: A-Z a-z 0-9 . _ -
  std::string name;              // the guest's name in the farm
  std::string hostname;          // of RFC 1123, with or without a domain
  std::string mac;               // "02:00:00:00:00:01"
  std::string address4;          // "10.0.0.5/24", or empty
  std::string gateway4;          // "10.0.0.1", or empty
  std::string address6;          // "fd00::5/64", or empty
  std::string gateway6;          // "fd00::1", or empty
  std::vector<std::string> dns;  // addresses
  bool swap = false;             // whether there is a swap disk to turn on
  std::optional<std::string> root_password_hash;  // crypt(5); without one root has no password
  std::string machine_id;                         // 32 lower-case hexadecimal digits
  std::vector<std::string> ssh_keys;              // lines for root's authorized_keys
  HostKey host_key;
};

// Whether it can stand in /etc/shadow as crypt(5) writes it: "$id$...".
bool is_password_hash(std::string_view hash);

// A ustar archive with the same bytes for the same seed, everything owned by root at time 0:
//   etc/umlfarm/guest.env     0644  KEY='value' lines that sh can source: UMLFARM_SEED_ID, _NAME, _HOSTNAME,
//                                   _MAC, _ADDRESS4, _GATEWAY4, _ADDRESS6, _GATEWAY6, _DNS, _SWAP (1 or 0)
//   etc/umlfarm/root.hash     0600  only with a root password
//   etc/hostname, etc/hosts, etc/machine-id                   0644
//   root/.ssh/                0700  with authorized_keys, 0600
//   etc/ssh/ssh_host_ed25519_key    0600, and .pub, 0644
//   etc/dropbear/dropbear_ed25519_host_key                    0600
// Its size is a multiple of 512, as a disk's must be. It holds secrets: keep the file at 0600.
// Invalid when a value is not what its comment above says, before anything is written.
Result<std::string> seed_tar(const Seed& seed);

// The checks of seed_tar() alone.
Status check_seed(const Seed& seed);

}  // namespace umlfarm::guest
