// What guests may send: only as themselves, and to no service of the host's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "provisioner/base/result.h"
#include "quota/limits.h"

struct nft_ctx;

namespace umlfarm::guest {

// One guest's place in the network, and who it may say it is.
struct Port {
  std::string tap;
  std::string mac;
  std::string address4;  // "10.77.0.2" or with a prefix
  std::string address6;  // the same; empty without IPv6
};

struct LimitedPort {
  Port port;
  quota::TapLimits limits;
};

// What has passed, since the counters were made.
struct Counters {
  std::string made;                                    // tells these counters from ones made later
  std::map<std::string, quota::Carried> by_tap;        // bytes
  std::map<std::string, quota::Carried> packets = {};  // by tap
};

// Nothing where the tap is not among them.
quota::Carried carried_by(const std::map<std::string, quota::Carried>& by_tap, const std::string& tap);

// The commands of libnftables. Pure. Each is one transaction.
// `made`: names counters that are made now; those that are there keep theirs.
// `isolate`: nothing goes from guest to guest, also where the machine has the bridge's frames filtered as if
// they were forwarded (br_netfilter).
std::string ruleset(const std::string& bridge, const std::string& tap_prefix, bool isolate,
                    const std::string& made);
std::string allow_command(const Port& port);
std::string forget_command(const Port& port);
// Allows these within their limits, and forgets all others.
std::string reset_command(const std::vector<LimitedPort>& ports);
// Packets a second, and whether anything passes; counts from now on, where it did not yet.
std::string limit_command(const LimitedPort& port);
std::string forget_count_command(const std::string& tap);
// Of what is printed of the counters' sets in JSON. Internal for anything else.
Result<Counters> read_counters(const std::string& in, const std::string& out);

// Acts in the namespace of the thread that opened it, and must be used from that thread.
class Firewall {
 public:
  static Result<Firewall> open();
  // All of the commands or none.
  Status apply(const std::string& commands);
  Result<Counters> counters();

 private:
  using Context = std::unique_ptr<nft_ctx, void (*)(nft_ctx*)>;
  Error failure() const;
  Result<std::string> print(const std::string& command);
  explicit Firewall(Context context) : context_(std::move(context)) {}
  Context context_;
};

}  // namespace umlfarm::guest
