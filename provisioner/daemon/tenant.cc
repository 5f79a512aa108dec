#include "provisioner/daemon/tenant.h"

#include <boost/json/value.hpp>

namespace umlfarm::daemon {

namespace json = boost::json;

json::object to_json(const quota::Bounds& bounds) {
  json::object object;
  for (const quota::Resource resource : quota::kResources) {
    const std::uint64_t most = bounds[resource];
    object[quota::resource_name(resource)] =
        most == quota::kUnlimited ? json::value(nullptr) : json::value(most);
  }
  return object;
}

quota::Bounds bounds_from_json(const json::value& value) {
  quota::Bounds bounds;
  for (const quota::Resource resource : quota::kResources) {
    const json::value& most = value.at(quota::resource_name(resource));
    if (!most.is_null()) bounds[resource] = most.to_number<std::uint64_t>();
  }
  return bounds;
}

quota::AccountBounds bounds_for(const Tenant& tenant, const quota::Holder& holder,
                                const quota::Bounds& host) {
  quota::AccountBounds bounds{{quota::kHostAccount, host},
                              {quota::tenant_account(tenant.name), tenant.bounds}};
  if (!holder.user.empty()) bounds[quota::user_account(holder)] = tenant.each_user;
  return bounds;
}

}  // namespace umlfarm::daemon
