// Who has guests: limits over all guests of a tenant, and over those of each of its users. Values and their
// JSON form.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "provisioner/base/result.h"
#include "quota/amounts.h"
#include "quota/cost.h"

namespace umlfarm::daemon {

struct Tenant {
  std::string name;
  quota::Bounds bounds;
  quota::Bounds each_user;  // a user is known by its guests alone
};

// {"guests": 5, "memory": null, ...}; null: no limit.
boost::json::object to_json(const quota::Bounds& bounds);
// Throws for a document that this program did not write.
quota::Bounds bounds_from_json(const boost::json::value& value);

// By account: what a guest of `holder` must fit in.
quota::AccountBounds bounds_for(const Tenant& tenant, const quota::Holder& holder, const quota::Bounds& host);

}  // namespace umlfarm::daemon
