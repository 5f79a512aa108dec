// The farm's network: a namespace of its own with a bridge, a tap for each guest, and the rules that keep
// them honest. The machine's own network is not touched. Thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "guest/net/firewall.h"
#include "guest/net/links.h"
#include "guest/net/net_namespace.h"
#include "guest/net/shaper.h"
#include "guest/net/uplink.h"
#include "provisioner/base/result.h"
#include "provisioner/base/unique_fd.h"

namespace umlfarm::guest {

struct NetworkConfig {
  std::string gateway4;  // the bridge's address, "10.77.0.1/16"
  std::string gateway6;  // empty: no IPv6
  bool isolate = true;   // guests don't reach each other
  std::string farm;      // hexadecimal; tells farms on one machine apart
  std::optional<UplinkConfig> uplink;
};

// Every tap's name begins so; the rules know them by it.
inline constexpr const char* kTapPrefix = "tg";

class FarmNetwork {
 public:
  // Idempotent: what is there already, with guests on it, stays.
  static Result<std::unique_ptr<FarmNetwork>> open(const std::string& namespace_path,
                                                   const NetworkConfig& config);
  ~FarmNetwork();

  // The guest's tap, on the bridge and guarded before its first packet. It lives as long as the descriptor,
  // in whatever process that is.
  Result<UniqueFd> attach_guest(const LimitedPort& guest);
  // Other limits for one that is attached. False where it is not.
  Result<bool> limit_guest(const LimitedPort& guest);
  // Takes back who it may be. Idempotent. The tap itself goes with its descriptor.
  Status detach_guest(const Port& port);
  // Only these are known from now on. Rates are set as far as they can be; limit_guest() says why not.
  Status keep_only(const std::vector<LimitedPort>& guests);

  // What guests have sent and got, those that are detached too, for as long as the namespace is there.
  Result<Counters> counters();
  // Packets to and from guests that there was no room for, by tap, since it was made.
  Result<std::map<std::string, quota::Carried>> dropped();
  // Idempotent.
  Status forget_count(const std::string& tap);

  // A TCP connection from the bridge's address. `address` without prefix. Timeout, or Unavailable with the
  // reason.
  Result<UniqueFd> connect_tcp(const std::string& address, std::uint16_t port, int limit_ms);

  // Removes the namespace and all in it, and the way out. Nothing else works afterwards.
  Status remove();

 private:
  FarmNetwork(std::string path, NetworkConfig config, std::unique_ptr<NetNamespace> space)
      : path_(std::move(path)), config_(std::move(config)), space_(std::move(space)) {}
  Status set_up();

  std::string path_;
  NetworkConfig config_;
  std::unique_ptr<NetNamespace> space_;
  // Used on the namespace's thread alone.
  std::optional<Links> links_;
  std::optional<Firewall> firewall_;
  std::optional<Shaper> shaper_;
};

}  // namespace umlfarm::guest
