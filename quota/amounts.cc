#include "quota/amounts.h"

#include "provisioner/base/byte_size.h"

namespace umlfarm::quota {
namespace {

template <typename Combine>
Amounts combined(const Amounts& a, const Amounts& b, Combine combine) {
  Amounts result;
  for (const Resource resource : kResources) result[resource] = combine(a[resource], b[resource]);
  return result;
}

}  // namespace

std::string_view resource_name(Resource resource) {
  switch (resource) {
    case Resource::Guests:
      return "guests";
    case Resource::Memory:
      return "memory";
    case Resource::Disk:
      return "disk";
    case Resource::Processors:
      return "processors";
  }
  return "unknown";
}

std::string amount_text(Resource resource, std::uint64_t amount) {
  const bool bytes = resource == Resource::Memory || resource == Resource::Disk;
  return bytes ? human_size(amount) : std::to_string(amount);
}

Amounts plus(const Amounts& a, const Amounts& b) {
  return combined(a, b, [](std::uint64_t x, std::uint64_t y) {
    std::uint64_t sum = 0;
    return __builtin_add_overflow(x, y, &sum) ? kUnlimited : sum;
  });
}

Amounts beyond(const Amounts& a, const Amounts& b) {
  return combined(a, b, [](std::uint64_t x, std::uint64_t y) { return x > y ? x - y : 0; });
}

}  // namespace umlfarm::quota
