// From a request to guests that are possible: every check that needs no effect, but for whether there is
// room. Pure, but for asking the host about the files that the request names.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "provisioner/base/result.h"
#include "provisioner/config/config.h"
#include "provisioner/daemon/catalog_entry.h"
#include "provisioner/daemon/guest_record.h"
#include "provisioner/daemon/tenant.h"

namespace umlfarm::daemon {

struct CreateRequest {
  std::string name;
  unsigned count = 1;                  // more than one: NAME-1 to NAME-count
  std::string plan;                    // empty: the configuration's default; so for image and kernel
  std::string image;                   // name or digest
  std::string kernel;                  // name or digest
  std::string tenant;                  // empty: the default one
  std::string user;                    // of the tenant's; empty: none
  std::optional<unsigned> processors;  // in place of the plan's
  std::optional<ByteSize> memory;      // in place of the plan's
  std::optional<ByteSize> disk;        // in place of the plan's
  std::vector<std::string> ssh_keys;
  std::vector<std::string> extra_disks;
  std::string root_password_hash;
  uid_t asker = 0;  // by whose right the extra disks are opened
};

// What there is already.
struct FarmFacts {
  const config::Config& config;
  const std::vector<GuestRecord>& guests;
  const std::vector<CatalogEntry>& images;
  const std::vector<CatalogEntry>& kernels;
  const std::vector<Tenant>& tenants;
  quota::Bounds capacity;       // the host's, for all guests
  std::uint64_t addresses = 0;  // how many the pools hold, beginning with index 0
};

inline constexpr unsigned kMostAtOnce = 1000;

struct Admitted {
  std::vector<GuestRecord> guests;  // without numbers, host keys, MACs and times
  quota::AccountBounds bounds;      // that they must fit in
};

// All guests or none.
Result<Admitted> admit(const CreateRequest& request, const FarmFacts& facts);

// The configuration's default one for an empty name. NotFound says what there is.
Result<quota::Plan> find_plan(const config::Config& config, const std::string& asked);

Result<Tenant> find_tenant(const std::vector<Tenant>& tenants, const std::string& name);

// The newest entry of this name, or the one with this digest (or a beginning of it, of 8 characters or more).
// NotFound says what there is.
Result<CatalogEntry> find_entry(const std::vector<CatalogEntry>& entries, const char* what,
                                const std::string& asked);

}  // namespace umlfarm::daemon
