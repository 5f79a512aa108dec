#include "provisioner/daemon/views.h"

#include <boost/json.hpp>

#include "provisioner/base/clock.h"
#include "provisioner/base/posix.h"
#include "provisioner/daemon/kernel_needs.h"

namespace umlfarm::daemon {

namespace json = boost::json;

namespace {

std::uint64_t allocated(const std::string& path) {
  const auto status = posix::stat(path);
  return status ? static_cast<std::uint64_t>(status->st_blocks) * 512 : 0;
}

// Reads one object's fields, keeping the first fault.
class Fields {
 public:
  explicit Fields(const json::object& object) : object_(object) {}

  const std::optional<Error>& fault() const { return fault_; }

  void text(const char* key, std::string& to) {
    if (const json::value* value = find(key, json::kind::string, "a string"))
      to = json::value_to<std::string>(*value);
  }
  void count(const char* key, unsigned& to) {
    const json::value* const value = find(key, json::kind::int64, "a whole number");
    if (value == nullptr) return;
    if (value->as_int64() < 0 || value->as_int64() > UINT32_MAX)
      return fail(key, "must be a whole number of 0 or more");
    to = static_cast<unsigned>(value->as_int64());
  }
  void count(const char* key, std::optional<unsigned>& to) {
    if (!object_.contains(key)) return;
    unsigned number = 0;
    count(key, number);
    to = number;
  }
  void size(const char* key, std::optional<ByteSize>& to) {
    const json::value* const value = object_.if_contains(key);
    if (value == nullptr) return;
    if (value->is_int64() && value->as_int64() >= 0) {
      to = ByteSize(static_cast<std::uint64_t>(value->as_int64()));
      return;
    }
    if (!value->is_string()) return fail(key, "must be bytes, or a size such as \"512M\"");
    auto parsed = ByteSize::parse(json::value_to<std::string>(*value));
    if (!parsed) return fail(key, parsed.error().message());
    to = *parsed;
  }
  void texts(const char* key, std::vector<std::string>& to) {
    const json::value* const value = find(key, json::kind::array, "a list");
    if (value == nullptr) return;
    for (const json::value& item : value->as_array()) {
      if (!item.is_string()) return fail(key, "must hold strings");
      to.push_back(json::value_to<std::string>(item));
    }
  }
  void disks(const char* key, std::vector<std::string>& to) {
    const json::value* const value = find(key, json::kind::array, "a list");
    if (value == nullptr) return;
    for (const json::value& item : value->as_array()) {
      const json::object* const disk = item.if_object();
      const json::value* const file = disk == nullptr ? nullptr : disk->if_contains("file");
      const json::value* const mode = disk == nullptr ? nullptr : disk->if_contains("mode");
      if (file == nullptr || !file->is_string() || mode == nullptr || *mode != "ro") {
        return fail(key, "must hold {\"file\": PATH, \"mode\": \"ro\"}");
      }
      to.push_back(json::value_to<std::string>(*file));
    }
  }
  void only(std::initializer_list<std::string_view> keys) {
    for (const auto& member : object_) {
      if (std::find(keys.begin(), keys.end(), member.key()) == keys.end())
        fail(std::string(member.key()).c_str(), "is not known");
    }
  }

 private:
  const json::value* find(const char* key, json::kind kind, const char* wanted) {
    const json::value* const value = object_.if_contains(key);
    if (value == nullptr || value->kind() == kind) return value;
    fail(key, std::string("must be ") + wanted);
    return nullptr;
  }
  void fail(const char* key, const std::string& what) {
    if (!fault_) fault_ = Error(Kind::Invalid, std::string("field '") + key + "' " + what);
  }

  const json::object& object_;
  std::optional<Error> fault_;
};

}  // namespace

json::object guest_view(const Farm& farm, const Guest& guest, json::storage_ptr storage) {
  const GuestRecord& record = guest.record;
  const GuestIdentity& identity = record.identity;
  const GuestState state = state_of(guest, wall_clock_ms(), farm.config().guests.ready_seconds);
  const guest::Addresses addresses = farm.pool().at(identity.address);
  const std::string id = record.id();
  return json::object({{"name", record.name},
                       {"id", id},
                       {"tenant", identity.tenant},
                       {"plan", identity.plan},
                       {"image", identity.image},
                       {"image_digest", identity.image_digest},
                       {"kernel", identity.kernel},
                       {"kernel_digest", identity.kernel_digest},
                       {"userspace", identity.kernel_features.userspace()},
                       {"desired", desired_name(record.desired)},
                       {"state", state.name},
                       {"reason", state.reason},
                       {"memory", identity.limits.memory.bytes()},
                       {"memory_allocated", guest.live.status.memory_allocated},
                       {"disk", identity.limits.disk.bytes()},
                       {"disk_allocated", allocated(farm.paths().disk(id))},
                       {"swap", identity.limits.swap.bytes()},
                       {"address4", guest::without_prefix(addresses.address4)},
                       {"address6", guest::without_prefix(addresses.address6)},
                       {"mac", identity.mac},
                       {"processors", json::value_from(farm.processors_of(id))},
                       {"created_ms", identity.created_ms},
                       {"started_ms", guest.live.status.started_ms},
                       {"ready_ms", guest.live.status.ready_ms},
                       {"host_key", identity.host_key_public},
                       {"restarts", record.restarts_ever}},
                      std::move(storage));
}

json::object entry_view(const CatalogEntry& entry, std::size_t guests) {
  return {{"name", entry.name},
          {"digest", entry.digest},
          {"version", entry.version},
          {"size", entry.size},
          {"added_ms", entry.added_ms},
          {"loops_per_jiffy", entry.loops_per_jiffy},
          {"features", to_json(entry.features)},
          {"guests", guests}};
}

json::object plan_view(const quota::Plan& plan) {
  return {{"name", plan.name},
          {"memory", plan.limits.memory.bytes()},
          {"disk", plan.limits.disk.bytes()},
          {"swap", plan.limits.swap.bytes()},
          {"processes", plan.limits.processes},
          {"processors", plan.limits.processors},
          {"kernel", plan.kernel},
          {"summary", plan.summary}};
}

json::object event_view(const Event& event) {
  return {{"id", event.id},
          {"time_ms", event.time_ms},
          {"guest", event.guest},
          {"kind", event.kind},
          {"message", event.message}};
}

json::object status_view(const FarmStatus& status) {
  return {{"version", UMLFARM_VERSION},
          {"guests", json::value_from(status.guests)},
          {"memory",
           {{"promised", status.promised.memory.bytes()}, {"capacity", status.capacity.memory.bytes()}}},
          {"disk", {{"promised", status.promised.disk.bytes()}, {"capacity", status.capacity.disk.bytes()}}},
          {"notices", json::value_from(status.notices)}};
}

Result<CreateRequest> read_create_request(const std::string& body) {
  boost::system::error_code error;
  const json::value value = json::parse(body, error);
  if (error || !value.is_object()) return Error(Kind::Invalid, "the request is not a JSON object");
  Fields fields(value.as_object());
  CreateRequest request;
  fields.only({"name", "count", "plan", "image", "kernel", "memory", "processors", "ssh_keys", "disks",
               "root_password_hash"});
  fields.text("name", request.name);
  fields.count("count", request.count);
  fields.text("plan", request.plan);
  fields.text("image", request.image);
  fields.text("kernel", request.kernel);
  fields.size("memory", request.memory);
  fields.count("processors", request.processors);
  fields.texts("ssh_keys", request.ssh_keys);
  fields.disks("disks", request.extra_disks);
  fields.text("root_password_hash", request.root_password_hash);
  if (fields.fault()) return *fields.fault();
  return request;
}

}  // namespace umlfarm::daemon
