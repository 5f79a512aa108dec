// The farm's things as the API shows them. Pure, but for asking the disk how much a guest has allocated.
#pragma once

#include <boost/json/object.hpp>

#include "provisioner/daemon/farm.h"

namespace umlfarm::daemon {

// In `storage`: a list of a thousand is best made in one that grows and is freed as a whole.
boost::json::object guest_view(const Farm& farm, const Guest& guest, boost::json::storage_ptr storage = {});
// `guests`: how many use it.
boost::json::object entry_view(const CatalogEntry& entry, std::size_t guests);
boost::json::object plan_view(const quota::Plan& plan);
boost::json::object event_view(const Event& event);
boost::json::object status_view(const FarmStatus& status, const quota::Overcommit& overcommit);
// How what may be promised of each resource comes about.
boost::json::object host_view(const FarmStatus& status, const quota::Overcommit& overcommit);
// A guest's limits, and what it uses of them.
boost::json::object usage_view(const Farm& farm, const Guest& guest, const guest::Counters& counters);
// What a guest's kernel says of itself.
boost::json::object inside_view(const quota::Inside& inside);
// What guests have used in that month, and what of it is each tenant's.
boost::json::object uses_view(const std::string& month, const std::vector<UseSum>& sums, bool by_hour);
// What was changed, with the guest as it is now.
boost::json::object limits_view(const Farm& farm, const LimitsReport& report);
boost::json::object tenant_view(const TenantAccount& account);

}  // namespace umlfarm::daemon
