// A guest as the farm remembers it. Values and their JSON form.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "guest/boot/kernel_features.h"
#include "provisioner/base/ids.h"
#include "provisioner/base/result.h"
#include "quota/cost.h"
#include "quota/limits.h"

namespace umlfarm::daemon {

// Guests of nobody in particular. It is always there.
inline constexpr const char* kDefaultTenant = "default";

enum class Desired { Running, Stopped, Absent };
std::string_view desired_name(Desired desired);

// What its owner gave and what the farm chose; never changed after creation.
struct GuestIdentity {
  std::string tenant = kDefaultTenant;
  std::string user;  // of the tenant's; empty: none of its own
  std::string plan;
  std::string image;  // as it was called then
  std::string image_digest;
  std::string kernel;
  std::string kernel_digest;
  guest::KernelFeatures kernel_features;
  std::uint32_t uid = 0;
  std::uint32_t address = 0;  // index into the pools
  std::string mac;
  std::vector<std::string> ssh_keys;
  std::vector<std::string> extra_disks;  // host files, read-only
  std::string root_password_hash;        // crypt(3); empty: root has no password
  std::string machine_id;
  std::string seed_id;
  std::string host_key_public;
  std::string host_key_openssh;
  std::string host_key_dropbear;
  std::int64_t created_ms = 0;
};

struct GuestRecord {
  std::int64_t number = 0;  // never used twice
  std::string name;
  GuestIdentity identity;
  quota::Limits limits;  // what it has been promised
  Desired desired = Desired::Running;
  std::string suspended;              // why it stands still whatever is desired; empty: it does not
  bool restart_asked = false;         // go down once, and come up again
  std::int64_t stop_patience_ms = 0;  // for the stop under way
  // How it fared; the state of its processes is never stored, it is observed.
  std::string failure;    // why it is no longer tried; empty: it is
  std::string last_exit;  // for people
  std::int64_t last_exit_ms = 0;
  // Of its latest start, wall clock; 0: none yet. What people were told of is not told again.
  std::int64_t started_ms = 0;
  std::int64_t ready_ms = 0;
  unsigned restarts = 0;                          // in a row, by its own death
  std::map<std::string, unsigned> restarts_ever;  // by what it had died of

  std::string id() const { return guest_id(number); }
};

unsigned all_restarts(const GuestRecord& record);
// Desired, and nothing is in the way.
bool should_run(const GuestRecord& record);

quota::Holder holder_of(const GuestIdentity& identity);

// What the guest takes of host, tenant and user.
quota::Sums charges_of(const GuestRecord& record);

boost::json::object to_json(const GuestRecord& record);
// Internal for a document that this program did not write.
Result<GuestRecord> record_from_json(std::int64_t number, const std::string& text);

}  // namespace umlfarm::daemon
