// A port of loopback that nobody has right now.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstdint>

#include "provisioner/base/unique_fd.h"

namespace umlfarm::testing {

inline std::uint16_t free_port() {
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(::bind(socket.get(), any, size), 0) << "no port of loopback";
  EXPECT_EQ(::getsockname(socket.get(), any, &size), 0);
  return ntohs(address.sin_port);
}

}  // namespace umlfarm::testing
