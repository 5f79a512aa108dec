#include "provisioner/daemon/guest_record.h"

#include <boost/json.hpp>
#include <charconv>
#include <stdexcept>

#include "provisioner/daemon/kernel_needs.h"
#include "quota/limit_fields.h"

namespace umlfarm::daemon {
namespace json = boost::json;
namespace {

// The dropbear key is binary and JSON is text.
std::string to_hex(const std::string& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kDigits[byte >> 4U];
    hex += kDigits[byte & 15U];
  }
  return hex;
}

std::string from_hex(std::string_view hex) {
  std::string bytes;
  if (hex.size() % 2 != 0) throw std::invalid_argument("half a byte");
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    unsigned byte = 0;
    const auto [end, error] = std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
    if (error != std::errc() || end != hex.data() + i + 2) throw std::invalid_argument("not hexadecimal");
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

Desired desired_from_name(std::string_view name) {
  for (const Desired desired : {Desired::Running, Desired::Stopped, Desired::Absent}) {
    if (name == desired_name(desired)) return desired;
  }
  throw std::invalid_argument("unknown desired state");
}

json::object identity_to_json(const GuestIdentity& identity) {
  return {{"tenant", identity.tenant},
          {"user", identity.user},
          {"plan", identity.plan},
          {"image", identity.image},
          {"image_digest", identity.image_digest},
          {"kernel", identity.kernel},
          {"kernel_digest", identity.kernel_digest},
          {"kernel_features", to_json(identity.kernel_features)},
          {"uid", identity.uid},
          {"address", identity.address},
          {"mac", identity.mac},
          {"ssh_keys", json::value_from(identity.ssh_keys)},
          {"extra_disks", json::value_from(identity.extra_disks)},
          {"root_password_hash", identity.root_password_hash},
          {"machine_id", identity.machine_id},
          {"seed_id", identity.seed_id},
          {"host_key_public", identity.host_key_public},
          {"host_key_openssh", identity.host_key_openssh},
          {"host_key_dropbear", to_hex(identity.host_key_dropbear)},
          {"created_ms", identity.created_ms}};
}

GuestIdentity identity_from_json(const json::value& value) {
  const auto text = [&](const char* key) { return json::value_to<std::string>(value.at(key)); };
  GuestIdentity identity;
  identity.tenant = text("tenant");
  identity.user = text("user");
  identity.plan = text("plan");
  identity.image = text("image");
  identity.image_digest = text("image_digest");
  identity.kernel = text("kernel");
  identity.kernel_digest = text("kernel_digest");
  identity.kernel_features = features_from_json(value.at("kernel_features"));
  identity.uid = value.at("uid").to_number<std::uint32_t>();
  identity.address = value.at("address").to_number<std::uint32_t>();
  identity.mac = text("mac");
  identity.ssh_keys = json::value_to<std::vector<std::string>>(value.at("ssh_keys"));
  identity.extra_disks = json::value_to<std::vector<std::string>>(value.at("extra_disks"));
  identity.root_password_hash = text("root_password_hash");
  identity.machine_id = text("machine_id");
  identity.seed_id = text("seed_id");
  identity.host_key_public = text("host_key_public");
  identity.host_key_openssh = text("host_key_openssh");
  identity.host_key_dropbear = from_hex(text("host_key_dropbear"));
  identity.created_ms = value.at("created_ms").to_number<std::int64_t>();
  return identity;
}

}  // namespace

std::string_view desired_name(Desired desired) {
  switch (desired) {
    case Desired::Running:
      return "running";
    case Desired::Stopped:
      return "stopped";
    case Desired::Absent:
      return "absent";
  }
  return "stopped";
}

unsigned all_restarts(const GuestRecord& record) {
  unsigned all = 0;
  for (const auto& [cause, count] : record.restarts_ever) all += count;
  return all;
}

bool should_run(const GuestRecord& record) {
  return record.desired == Desired::Running && record.suspended.empty() && record.failure.empty();
}

quota::Holder holder_of(const GuestIdentity& identity) { return {identity.tenant, identity.user}; }

quota::Sums charges_of(const GuestRecord& record) {
  return quota::charges_of(holder_of(record.identity), record.limits);
}

json::object to_json(const GuestRecord& record) {
  return {{"name", record.name},
          {"identity", identity_to_json(record.identity)},
          {"limits", quota::to_json(record.limits)},
          {"desired", desired_name(record.desired)},
          {"suspended", record.suspended},
          {"restart_asked", record.restart_asked},
          {"stop_patience_ms", record.stop_patience_ms},
          {"failure", record.failure},
          {"last_exit", record.last_exit},
          {"last_exit_ms", record.last_exit_ms},
          {"started_ms", record.started_ms},
          {"ready_ms", record.ready_ms},
          {"restarts", record.restarts},
          {"restarts_ever", json::value_from(record.restarts_ever)}};
}

Result<GuestRecord> record_from_json(std::int64_t number, const std::string& text) try {
  const json::value value = json::parse(text);
  GuestRecord record;
  record.number = number;
  record.name = json::value_to<std::string>(value.at("name"));
  record.identity = identity_from_json(value.at("identity"));
  record.limits = quota::limits_from_json(value.at("limits").as_object());
  record.desired = desired_from_name(json::value_to<std::string>(value.at("desired")));
  record.suspended = json::value_to<std::string>(value.at("suspended"));
  record.restart_asked = value.at("restart_asked").as_bool();
  record.stop_patience_ms = value.at("stop_patience_ms").to_number<std::int64_t>();
  record.failure = json::value_to<std::string>(value.at("failure"));
  record.last_exit = json::value_to<std::string>(value.at("last_exit"));
  record.last_exit_ms = value.at("last_exit_ms").to_number<std::int64_t>();
  record.started_ms = value.at("started_ms").to_number<std::int64_t>();
  record.ready_ms = value.at("ready_ms").to_number<std::int64_t>();
  record.restarts = value.at("restarts").to_number<unsigned>();
  record.restarts_ever = json::value_to<std::map<std::string, unsigned>>(value.at("restarts_ever"));
  return record;
} catch (const std::exception& failure) {
  return Error(Kind::Internal, "state: guest " + guest_id(number) + ": " + failure.what());
}

}  // namespace umlfarm::daemon
