// What people ask of the API, from their JSON. Pure. Invalid names the field.
#pragma once

#include <string>

#include "provisioner/base/result.h"
#include "provisioner/daemon/admission.h"
#include "provisioner/daemon/farm.h"
#include "provisioner/daemon/tenant.h"

namespace umlfarm::daemon {

Result<CreateRequest> read_create_request(const std::string& body);

Result<LimitsRequest> read_limits_request(const std::string& body);

// A tenant with the limits that the request names, and those of `before` where it names none. Null: no limit.
Result<Tenant> read_tenant_request(const std::string& body, Tenant before);

}  // namespace umlfarm::daemon
