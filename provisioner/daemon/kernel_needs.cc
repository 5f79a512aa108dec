#include "provisioner/daemon/kernel_needs.h"

#include <algorithm>
#include <boost/json.hpp>

namespace umlfarm::daemon {

namespace json = boost::json;

json::object to_json(const guest::KernelFeatures& features) {
  return {{"userspace", features.userspace()},
          {"processors", features.processors},
          {"durable_disks", features.durable_disks},
          {"tap_offload", features.tap_offload},
          {"growing_disks", features.growing_disks}};
}

guest::KernelFeatures features_from_json(const json::value& value) {
  return {value.at("userspace").as_string() == "seccomp", value.at("processors").to_number<unsigned>(),
          value.at("durable_disks").as_bool(), value.at("tap_offload").as_bool(),
          value.at("growing_disks").as_bool()};
}

guest::KernelFeatures features_of_manifest(const json::object& manifest) {
  guest::KernelFeatures features;
  const json::value* const said = manifest.if_contains("features");
  const json::object* const object = said == nullptr ? nullptr : said->if_object();
  if (object == nullptr) return features;
  const auto is = [&](const char* key, const json::value& wanted) {
    const json::value* const found = object->if_contains(key);
    return found != nullptr && *found == wanted;
  };
  features.seccomp = is("userspace", "seccomp");
  features.durable_disks = is("durable_disks", true);
  features.tap_offload = is("tap_offload", true);
  features.growing_disks = is("growing_disks", true);
  if (const json::value* const processors = object->if_contains("processors");
      processors != nullptr && processors->is_int64()) {
    features.processors =
        static_cast<unsigned>(std::clamp<std::int64_t>(processors->as_int64(), 1, quota::kMostProcessors));
  }
  return features;
}

Status check_tells_memory(const std::string& kernel, const guest::KernelFeatures& features) {
  // It came into our kernels after this.
  if (features.durable_disks) return {};
  return Error(Kind::Unavailable,
               "kernel '" + kernel +
                   "' does not tell its memory: stop the guest and set it then, or give it a kernel "
                   "built with guest/kernel/build");
}

Status check_ceiling(const std::string& kernel, const guest::KernelFeatures& features,
                     const quota::Limits& limits) {
  if (limits.memory_ceiling <= limits.memory || check_tells_memory(kernel, features)) return {};
  return Error(Kind::Invalid, "kernel '" + kernel + "' does not tell its memory, so that a guest of " +
                                  limits.memory.str() + " can't have a ceiling of " +
                                  limits.memory_ceiling.str() +
                                  "; leave memory_ceiling out of the plan, or choose another kernel");
}

Status check_kernel(const std::string& kernel, const guest::KernelFeatures& features,
                    const quota::Plan& plan) {
  std::string lacks;
  const auto lack = [&](const std::string& what) { lacks += (lacks.empty() ? "" : ", ") + what; };
  if (plan.durable_disks && !features.durable_disks) lack("durable disks (durable_disks)");
  if (plan.tap_offload && !features.tap_offload) lack("large frames over the tap (tap_offload)");
  if (plan.limits.processors > features.processors) {
    lack(std::to_string(plan.limits.processors) + " processors (its most is " +
         std::to_string(features.processors) + ")");
  }
  if (lacks.empty()) return {};
  return Error(Kind::Invalid, "kernel '" + kernel + "' does not say in its manifest that it has what plan '" +
                                  plan.name + "' needs: " + lacks +
                                  "; choose another with --kernel, see 'umlfarm kernel list', build and add "
                                  "one with guest/kernel/build, or a plan that does not need it");
}

}  // namespace umlfarm::daemon
