// What kernels can do, in JSON, and what a plan needs of one. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <string>

#include "guest/boot/kernel_features.h"
#include "provisioner/base/result.h"
#include "quota/limits.h"

namespace umlfarm::daemon {

boost::json::object to_json(const guest::KernelFeatures& features);
// Of what to_json() wrote; throws what boost::json does on anything else.
guest::KernelFeatures features_from_json(const boost::json::value& value);
// What is missing or of another type counts as what the kernel cannot do.
guest::KernelFeatures features_of_manifest(const boost::json::object& manifest);

// Unavailable where the kernel is not one of ours: then memory can be neither taken out of a guest nor given
// to it.
Status check_tells_memory(const std::string& kernel, const guest::KernelFeatures& features);

// Invalid where a guest would boot with more memory than it is promised, and it could not be taken out of it.
Status check_ceiling(const std::string& kernel, const guest::KernelFeatures& features,
                     const quota::Limits& limits);

// Invalid, with all that the kernel lacks and the plan needs.
Status check_kernel(const std::string& kernel, const guest::KernelFeatures& features,
                    const quota::Plan& plan);

}  // namespace umlfarm::daemon
