// Public keys that people hand in.
#pragma once

#include <string>
#include <string_view>

#include "provisioner/base/result.h"

namespace umlfarm::guest {

// Checks one line of authorized_keys, without options and without a newline, down to the last byte of the
// key's structure: ssh-ed25519, ssh-rsa (2048 to 16384 bits), ecdsa-sha2-nistp256, -384 and -521, and the
// sk- kinds of security keys. Returns "type base64" or "type base64 comment" with single spaces.
// Invalid otherwise, saying what is wrong and what to do; a private key is never repeated in the message.
Result<std::string> check_ssh_key(std::string_view line);

}  // namespace umlfarm::guest
