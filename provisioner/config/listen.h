// Where on this host something listens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "provisioner/base/result.h"

namespace umlfarm::config {

struct Listen {
  std::string address;  // IPv4 or IPv6, without brackets; empty: nowhere
  std::uint16_t port = 0;
  bool loopback = true;     // nobody but this host reaches it
  std::string str() const;  // as it is written
};

// "127.0.0.1:9753", "[::]:9753", or nothing. Pure.
Result<Listen> parse_listen(std::string_view text);

}  // namespace umlfarm::config
