// How ssh(1) is called so that it reaches a guest through the daemon and trusts its host key alone. Pure.
#pragma once

#include <string>
#include <vector>

namespace umlfarm::cli {

struct SshTarget {
  std::string self;      // this program
  std::string socket;    // the daemon's
  std::string guest;     // name
  std::string id;        // such as "g17"
  std::string user;      // to log in as
  std::string host_key;  // "ssh-ed25519 AAAA..."
  std::vector<std::string> identities;
};

std::vector<std::string> ssh_arguments(const SshTarget& target, const std::vector<std::string>& command);

// For a shell: within single quotes only a single quote is special.
std::string shell_quoted(const std::string& word);

}  // namespace umlfarm::cli
