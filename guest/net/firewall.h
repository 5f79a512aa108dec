// What guests may send: only as themselves, and to no service of the host's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "provisioner/base/result.h"

struct nft_ctx;

namespace umlfarm::guest {

// One guest's place in the network, and who it may say it is.
struct Port {
  std::string tap;
  std::string mac;
  std::string address4;  // "10.77.0.2" or with a prefix
  std::string address6;  // the same; empty without IPv6
};

// The commands of libnftables. Pure. Each is one transaction.
// `isolate`: nothing goes from guest to guest, also where the machine has the bridge's frames filtered as if
// they were forwarded (br_netfilter).
std::string ruleset(const std::string& bridge, const std::string& tap_prefix, bool isolate);
std::string allow_command(const Port& port);
std::string forget_command(const Port& port);
// Allows these and forgets all others.
std::string reset_command(const std::vector<Port>& ports);

// Acts in the namespace of the thread that opened it, and must be used from that thread.
class Firewall {
 public:
  static Result<Firewall> open();
  // All of the commands or none.
  Status apply(const std::string& commands);

 private:
  using Context = std::unique_ptr<nft_ctx, void (*)(nft_ctx*)>;
  explicit Firewall(Context context) : context_(std::move(context)) {}
  Context context_;
};

}  // namespace umlfarm::guest
