// The SSH keys of whoever calls, sudo or not.
#pragma once

#include <string>
#include <vector>

#include "provisioner/base/result.h"

namespace umlfarm::cli {

// The private keys that ssh should try: the caller's usual ones, those of who called sudo, and umlfarm's own.
std::vector<std::string> identities();

// A public key for a new guest where none was named: the caller's usual one. Where there is none, a key of
// umlfarm's own is made below ~/.config/umlfarm; `made` then says so.
struct DefaultKey {
  std::string file;
  bool made = false;
};
Result<DefaultKey> default_public_key();

}  // namespace umlfarm::cli
