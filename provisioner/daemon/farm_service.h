// The API: which request means which of the farm's verbs.
#pragma once

#include "provisioner/api/server.h"
#include "provisioner/daemon/collector.h"
#include "provisioner/daemon/farm.h"

namespace umlfarm::daemon {

class FarmService final : public api::Service {
 public:
  FarmService(Farm& farm, const Collector& collector) : farm_(farm), collector_(collector) {}

  api::Response handle(const api::Request& request) override;
  Result<api::Channel> open_channel(const api::Request& request) override;

 private:
  using Path = std::vector<std::string>;

  void note(const api::Request& request);
  Result<api::Response> route(const api::Request& request);
  Result<api::Channel> route_channel(const api::Request& request);
  Result<api::Response> route_guests(const api::Request& request);
  Result<api::Response> route_guest(const api::Request& request);
  Result<api::Response> route_tenants(const api::Request& request);
  Result<api::Response> route_catalog(Catalog which, const api::Request& request);
  Result<api::Response> uses(const api::Request& request);
  Result<api::Response> create(const api::Request& request);
  Result<api::Response> log(const api::Request& request);
  Result<api::Response> mconsole(const api::Request& request);
  Result<api::Response> events(const api::Request& request);
  Result<api::Response> accepted(Result<Guest> guest);

  Farm& farm_;
  const Collector& collector_;
};

}  // namespace umlfarm::daemon
