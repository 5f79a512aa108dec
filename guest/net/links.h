// Network devices by netlink, in the namespace of the thread that opened it.
#pragma once

#include <memory>
#include <string>

#include "provisioner/base/result.h"
#include "provisioner/base/unique_fd.h"

struct nl_sock;

namespace umlfarm::guest {

class Links {
 public:
  static Result<Links> open();

  // Idempotent.
  Status make_bridge(const std::string& name);
  Status bring_up(const std::string& name);
  Status add_address(const std::string& name, const std::string& cidr);

  // Makes `name` a port of the bridge; isolated ports reach the bridge and no other isolated port.
  Status enslave(const std::string& name, const std::string& bridge, bool isolated);

 private:
  using Socket = std::unique_ptr<nl_sock, void (*)(nl_sock*)>;
  explicit Links(Socket socket) : socket_(std::move(socket)) {}

  Socket socket_;
};

// A tap that lives as long as its descriptor: packets come and go with a 10-byte virtio-net header. In the
// namespace of the calling thread. Conflict when the name is taken.
Result<UniqueFd> open_tap(const std::string& name);

}  // namespace umlfarm::guest
