// A guest's SSH host key, made on the host so that its fingerprint is known before the first boot.
#pragma once

#include <string>

#include "provisioner/base/result.h"

namespace umlfarm::guest {

// One ed25519 key in the three forms that servers read. The private forms are secrets and unencrypted.
struct HostKey {
  std::string public_line;       // "ssh-ed25519 AAAA...", without comment or newline
  std::string openssh_private;   // an openssh-key-v1 PEM file
  std::string dropbear_private;  // dropbear's binary key file
};

// Internal when the library has no random numbers or no ed25519.
Result<HostKey> make_host_key();

}  // namespace umlfarm::guest
