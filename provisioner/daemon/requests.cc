#include "provisioner/daemon/requests.h"

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <optional>
#include <vector>

#include "quota/limit_fields.h"

namespace umlfarm::daemon {

namespace json = boost::json;

namespace {

// Reads one object's fields, keeping the first fault.
class Fields {
 public:
  explicit Fields(const json::object& object) : object_(object) {}

  const std::optional<Error>& fault() const { return fault_; }

  void text(const char* key, std::string& to) {
    if (const json::value* value = find(key, json::kind::string, "a string"))
      to = json::value_to<std::string>(*value);
  }
  void flag(const char* key, bool& to) {
    if (const json::value* value = find(key, json::kind::bool_, "true or false")) to = value->as_bool();
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
  // A limit by its field's name: bytes, bits a second or a number, or any of them as people write it.
  void limit(const quota::LimitField& field, std::map<std::string_view, quota::LimitValue>& to) {
    const json::value* const value = object_.if_contains(field.name);
    if (value == nullptr) return;
    const bool whole = value->is_int64() && value->as_int64() >= 0;
    if (!value->is_string() && !whole)
      return fail(std::string(field.name).c_str(), "must be a whole number of 0 or more, or text");
    std::string text = whole ? std::to_string(value->as_int64()) : json::value_to<std::string>(*value);
    if (whole && std::holds_alternative<BitRate quota::Limits::*>(field.member)) text += "bit";
    auto parsed = quota::parse_limit(field, text);
    if (!parsed) return fail(std::string(field.name).c_str(), "is wrong: " + parsed.error().message());
    to.emplace(field.name, *parsed);
  }
  // Bytes, a size, a number or null, as the resource is counted.
  void bounds(const char* key, quota::Bounds& to) {
    const json::value* const value = find(key, json::kind::object, "an object");
    if (value == nullptr) return;
    Fields inside(value->as_object());
    inside.only({"guests", "memory", "disk", "processors"});
    for (const quota::Resource resource : quota::kResources) inside.bound(resource, to[resource]);
    if (!fault_) fault_ = inside.fault_;
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
  void only(const std::vector<std::string_view>& keys) {
    for (const auto& member : object_) {
      if (std::find(keys.begin(), keys.end(), member.key()) == keys.end())
        fail(std::string(member.key()).c_str(), "is not known");
    }
  }

 private:
  void bound(quota::Resource resource, std::uint64_t& to) {
    const std::string key(quota::resource_name(resource));
    const json::value* const value = object_.if_contains(key);
    if (value == nullptr) return;
    if (value->is_null()) {
      to = quota::kUnlimited;
      return;
    }
    if (resource == quota::Resource::Memory || resource == quota::Resource::Disk) {
      std::optional<ByteSize> bytes;
      size(key.c_str(), bytes);
      if (bytes) to = bytes->bytes();
      return;
    }
    unsigned number = 0;
    count(key.c_str(), number);
    to = number;
  }
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

Result<json::object> parse_object(const std::string& body) {
  boost::system::error_code error;
  const json::value value = json::parse(body, error);
  if (error || !value.is_object()) return Error(Kind::Invalid, "the request is not a JSON object");
  return value.as_object();
}

}  // namespace

Result<CreateRequest> read_create_request(const std::string& body) {
  UMLFARM_ASSIGN(const json::object object, parse_object(body));
  Fields fields(object);
  CreateRequest request;
  fields.only({"name", "count", "plan", "image", "kernel", "tenant", "user", "memory", "processors", "disk",
               "ssh_keys", "disks", "root_password_hash"});
  fields.text("name", request.name);
  fields.count("count", request.count);
  fields.text("plan", request.plan);
  fields.text("image", request.image);
  fields.text("kernel", request.kernel);
  fields.text("tenant", request.tenant);
  fields.text("user", request.user);
  fields.size("memory", request.memory);
  fields.size("disk", request.disk);
  fields.count("processors", request.processors);
  fields.texts("ssh_keys", request.ssh_keys);
  fields.disks("disks", request.extra_disks);
  fields.text("root_password_hash", request.root_password_hash);
  if (fields.fault()) return *fields.fault();
  return request;
}

Result<LimitsRequest> read_limits_request(const std::string& body) {
  UMLFARM_ASSIGN(const json::object object, parse_object(body));
  Fields fields(object);
  LimitsRequest request;
  std::vector<std::string_view> known{"plan", "restart"};
  for (const quota::LimitField& field : quota::limit_fields()) {
    if (field.change == quota::Change::Never) continue;
    known.push_back(field.name);
    fields.limit(field, request.change.named);
  }
  fields.only(known);
  fields.text("plan", request.plan);
  fields.flag("restart", request.restart);
  if (fields.fault()) return *fields.fault();
  return request;
}

Result<Tenant> read_tenant_request(const std::string& body, Tenant before) {
  UMLFARM_ASSIGN(const json::object object, parse_object(body));
  Fields fields(object);
  fields.only({"name", "limits", "each_user"});
  if (before.name.empty()) fields.text("name", before.name);
  fields.bounds("limits", before.bounds);
  fields.bounds("each_user", before.each_user);
  if (fields.fault()) return *fields.fault();
  return before;
}

}  // namespace umlfarm::daemon
