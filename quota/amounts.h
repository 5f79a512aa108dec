// What is counted of guests, and how it adds up. Values only.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>

namespace umlfarm::quota {

enum class Resource { Guests, Memory, Disk, Processors };
inline constexpr std::array kResources{Resource::Guests, Resource::Memory, Resource::Disk,
                                       Resource::Processors};

// "guests", "memory", "disk" or "processors".
std::string_view resource_name(Resource resource);
// An amount of it for people: bytes with a unit, or a number.
std::string amount_text(Resource resource, std::uint64_t amount);

// Memory and disk in bytes, the others by number.
class Amounts {
 public:
  constexpr std::uint64_t& operator[](Resource resource) { return values_[index(resource)]; }
  constexpr std::uint64_t operator[](Resource resource) const { return values_[index(resource)]; }
  friend constexpr bool operator==(const Amounts&, const Amounts&) = default;

 private:
  static constexpr std::size_t index(Resource resource) { return static_cast<std::size_t>(resource); }
  std::array<std::uint64_t, kResources.size()> values_{};
};

inline constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

// The most of each; kUnlimited where there is no such limit.
class Bounds : public Amounts {
 public:
  constexpr Bounds() {
    for (const Resource resource : kResources) (*this)[resource] = kUnlimited;
  }
};

// By account: "host", "tenant NAME" or "user TENANT/NAME".
using Sums = std::map<std::string, Amounts>;

// By account; one that is not named has no limit.
using AccountBounds = std::map<std::string, Bounds>;

// Stops at kUnlimited, which no bound allows.
Amounts plus(const Amounts& a, const Amounts& b);
// What `a` is above `b`; nothing where it is below.
Amounts beyond(const Amounts& a, const Amounts& b);

}  // namespace umlfarm::quota
