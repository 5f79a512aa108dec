#include "provisioner/daemon/admission.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/algorithm/string/join.hpp>
#include <set>

#include "guest/boot/command_line.h"
#include "guest/disk/cow.h"
#include "guest/disk/seed.h"
#include "guest/disk/ssh_key.h"
#include "provisioner/base/as_user.h"
#include "provisioner/base/posix.h"
#include "provisioner/daemon/kernel_needs.h"

namespace umlfarm::daemon {
namespace {

constexpr std::size_t kMostKeys = 64;

template <typename Items, typename Name>
std::string list_names(const Items& items, Name name) {
  std::set<std::string> names;
  for (const auto& item : items) names.insert(name(item));
  return names.empty() ? "none" : boost::algorithm::join(names, ", ");
}

Result<std::vector<std::string>> guest_names(const CreateRequest& request, const FarmFacts& facts) {
  UMLFARM_TRY(check_name("guest name", request.name));
  if (request.count < 1 || request.count > kMostAtOnce) {
    return Error(Kind::Invalid, "count " + std::to_string(request.count) + ": must be 1 to 1000");
  }
  std::vector<std::string> names;
  for (unsigned i = 1; request.count > 1 && i <= request.count; ++i) {
    names.push_back(request.name + "-" + std::to_string(i));
  }
  if (names.empty()) names.push_back(request.name);
  UMLFARM_TRY(check_name("guest name", names.back()));
  for (const GuestRecord& guest : facts.guests) {
    if (std::find(names.begin(), names.end(), guest.name) != names.end()) {
      return Error(Kind::Conflict,
                   "guest '" + guest.name + "' exists already; choose another name, or delete it");
    }
  }
  return names;
}

Result<std::vector<std::string>> check_keys(const std::vector<std::string>& lines) {
  if (lines.size() > kMostKeys) {
    return Error(Kind::Invalid, std::to_string(lines.size()) + " ssh keys: a guest takes at most 64");
  }
  std::vector<std::string> keys;
  for (const std::string& line : lines) {
    UMLFARM_ASSIGN(std::string key, guest::check_ssh_key(line));
    keys.push_back(std::move(key));
  }
  return keys;
}

// The guest kernel opens it as its own user, so that the file's mode decides, not the daemon's rights; and
// who asks must be able to reach it.
Status check_extra_disk(const std::string& path, uid_t asker) {
  if (path.empty() || path[0] != '/' ||
      path.find_first_of(std::string_view(" \t\n,\":=\0", 8)) != std::string::npos) {
    return Error(Kind::Invalid,
                 "disk '" + path + "': must be an absolute path without spaces, commas, quotes, ':' or '='");
  }
  struct stat status {};
  UMLFARM_TRY(as_user(asker, [&]() -> Status {
    UMLFARM_ASSIGN(const UniqueFd file, posix::open(path, O_RDONLY | O_NONBLOCK));
    return ::fstat(file.get(), &status) == 0 ? Status() : system_error("stat " + path);
  }));
  if (!S_ISREG(status.st_mode)) return Error(Kind::Invalid, "disk " + path + ": not a regular file");
  if ((status.st_mode & S_IROTH) == 0) {
    return Error(Kind::Denied,
                 "disk " + path + ": guests run as users of their own and may not read it; chmod o+r it");
  }
  UMLFARM_ASSIGN(const bool cow, guest::carries_cow_magic(path));
  if (cow) {
    return Error(Kind::Invalid,
                 "disk " + path +
                     ": begins as a copy-on-write file does, and the guest kernel would take it "
                     "for one; give the disk as a plain file");
  }
  return {};
}

Status check_password_hash(const std::string& hash) {
  if (hash.empty()) return {};
  if (guest::is_password_hash(hash)) return {};
  return Error(Kind::Invalid, "root password hash: must be of crypt(3), such as 'openssl passwd -6' prints");
}

// The lowest numbers not taken, `count` of them.
Result<std::vector<std::uint32_t>> lowest_free(const std::set<std::uint32_t>& taken, std::uint32_t first,
                                               std::uint64_t size, unsigned count, const char* what) {
  std::vector<std::uint32_t> free;
  for (std::uint64_t i = 0; i < size && free.size() < count; ++i) {
    const auto number = static_cast<std::uint32_t>(first + i);
    if (!taken.contains(number)) free.push_back(number);
  }
  if (free.size() == count) return free;
  return Error(Kind::QuotaExceeded, std::string(what) + " exhausted: " + std::to_string(count) + " asked, " +
                                        std::to_string(free.size()) + " of " + std::to_string(size) +
                                        " left; delete guests, or widen it in umlfarm.toml");
}

Result<CatalogEntry> choose_kernel(const FarmFacts& facts, const std::string& asked,
                                   const quota::Plan& plan) {
  if (!asked.empty()) return find_entry(facts.kernels, "kernel", asked);
  if (!plan.kernel.empty()) {
    auto named = find_entry(facts.kernels, "kernel", plan.kernel);
    if (!named) return std::move(named).error().context("plan '" + plan.name + "'");
    return named;
  }
  if (facts.kernels.empty())
    return Error(Kind::NotFound, "no guest kernel yet; add one with 'umlfarm kernel add'");
  const auto strict = std::find_if(facts.kernels.begin(), facts.kernels.end(),
                                   [](const CatalogEntry& kernel) { return kernel.name == "strict"; });
  return strict == facts.kernels.end() ? facts.kernels.front() : *strict;
}

// Other kernels know no disk but one as large as the image that it begins with.
Result<ByteSize> disk_size(const CreateRequest& request, const GuestIdentity& identity, ByteSize wanted,
                           ByteSize of_image) {
  if (identity.kernel_features.growing_disks) return wanted;
  if (!request.disk || wanted == of_image) return of_image;
  return Error(Kind::Invalid, "a disk of " + wanted.str() + " on an image of " + of_image.str() +
                                  ": kernel '" + identity.kernel +
                                  "' does not say in its manifest that it has growing disks (growing_disks); "
                                  "leave the size out, or choose another kernel");
}

// The plan, with what the request says otherwise.
Result<quota::Plan> asked_plan(const CreateRequest& request, const FarmFacts& facts,
                               const CatalogEntry& image) {
  UMLFARM_ASSIGN(quota::Plan plan, find_plan(facts.config, request.plan));
  quota::Limits& limits = plan.limits;
  if (request.memory) limits.memory = *request.memory;
  if (request.processors) limits.processors = *request.processors;
  if (request.disk) limits.disk = *request.disk;
  UMLFARM_TRY(quota::check_limits(limits));
  limits.memory_ceiling = quota::boot_memory(limits);
  if (ByteSize(image.size) > limits.disk) {
    return Error(Kind::QuotaExceeded, "image '" + image.name + "' is a disk of " +
                                          ByteSize(image.size).str() + ", the guest would have " +
                                          limits.disk.str() +
                                          "; give it a larger plan or disk, or a smaller image");
  }
  return plan;
}

Result<GuestIdentity> common_identity(const CreateRequest& request, const FarmFacts& facts,
                                      const Tenant& tenant, const quota::Plan& plan,
                                      const CatalogEntry& image) {
  GuestIdentity identity;
  identity.tenant = tenant.name;
  if (!request.user.empty()) UMLFARM_TRY(check_name("user", request.user));
  identity.user = request.user;
  identity.plan = plan.name;
  identity.image = image.name;
  identity.image_digest = image.digest;
  UMLFARM_ASSIGN(const CatalogEntry kernel, choose_kernel(facts, request.kernel, plan));
  UMLFARM_TRY(check_kernel(kernel.name, kernel.features, plan));
  UMLFARM_TRY(check_ceiling(kernel.name, kernel.features, plan.limits));
  identity.kernel = kernel.name;
  identity.kernel_digest = kernel.digest;
  identity.kernel_features = kernel.features;
  UMLFARM_ASSIGN(identity.ssh_keys, check_keys(request.ssh_keys));
  if (request.extra_disks.size() > guest::kMostExtraDisks) {
    return Error(Kind::Invalid, std::to_string(request.extra_disks.size()) +
                                    " extra disks: a guest takes at most " +
                                    std::to_string(guest::kMostExtraDisks));
  }
  for (const std::string& disk : request.extra_disks) UMLFARM_TRY(check_extra_disk(disk, request.asker));
  identity.extra_disks = request.extra_disks;
  UMLFARM_TRY(check_password_hash(request.root_password_hash));
  identity.root_password_hash = request.root_password_hash;
  return identity;
}

}  // namespace

Result<CatalogEntry> find_entry(const std::vector<CatalogEntry>& entries, const char* what,
                                const std::string& asked) {
  for (const CatalogEntry& entry : entries) {
    if (entry.name == asked) return entry;
  }
  for (const CatalogEntry& entry : entries) {
    if (asked.size() >= 8 && entry.digest.starts_with(asked)) return entry;
  }
  return Error(Kind::NotFound, std::string("no ") + what + " '" + asked + "'; there is: " +
                                   list_names(entries, [](const CatalogEntry& entry) { return entry.name; }));
}

Result<quota::Plan> find_plan(const config::Config& config, const std::string& asked) {
  const std::string& name = asked.empty() ? config.guests.default_plan : asked;
  for (const quota::Plan& plan : config.plans) {
    if (plan.name == name) return plan;
  }
  return Error(Kind::NotFound,
               "no plan '" + name + "'; there is: " + list_names(config.plans, [](const quota::Plan& plan) {
                 return plan.name;
               }));
}

Result<Tenant> find_tenant(const std::vector<Tenant>& tenants, const std::string& name) {
  for (const Tenant& tenant : tenants) {
    if (tenant.name == name) return tenant;
  }
  return Error(Kind::NotFound, "no tenant '" + name + "'; there is: " +
                                   list_names(tenants, [](const Tenant& tenant) { return tenant.name; }));
}

Result<Admitted> admit(const CreateRequest& request, const FarmFacts& facts) {
  UMLFARM_ASSIGN(const std::vector<std::string> names, guest_names(request, facts));
  UMLFARM_ASSIGN(const Tenant tenant,
                 find_tenant(facts.tenants, request.tenant.empty() ? kDefaultTenant : request.tenant));
  UMLFARM_ASSIGN(const CatalogEntry image,
                 find_entry(facts.images, "image",
                            request.image.empty() ? facts.config.guests.default_image : request.image));
  UMLFARM_ASSIGN(quota::Plan plan, asked_plan(request, facts, image));
  UMLFARM_ASSIGN(const GuestIdentity identity, common_identity(request, facts, tenant, plan, image));
  UMLFARM_ASSIGN(plan.limits.disk, disk_size(request, identity, plan.limits.disk, ByteSize(image.size)));
  std::set<std::uint32_t> uids;
  std::set<std::uint32_t> addresses;
  for (const GuestRecord& guest : facts.guests) {
    uids.insert(guest.identity.uid);
    addresses.insert(guest.identity.address);
  }
  const config::Guests& range = facts.config.guests;
  UMLFARM_ASSIGN(const auto free_uids,
                 lowest_free(uids, range.first_uid, range.uids, request.count, "uid range"));
  UMLFARM_ASSIGN(const auto free_addresses,
                 lowest_free(addresses, 0, facts.addresses, request.count, "address pool"));
  Admitted admitted{{}, bounds_for(tenant, holder_of(identity), facts.capacity)};
  for (std::size_t i = 0; i < names.size(); ++i) {
    GuestRecord guest;
    guest.name = names[i];
    guest.identity = identity;
    guest.limits = plan.limits;
    guest.identity.uid = free_uids[i];
    guest.identity.address = free_addresses[i];
    admitted.guests.push_back(std::move(guest));
  }
  return admitted;
}

}  // namespace umlfarm::daemon
