#include "provisioner/daemon/farm_service.h"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "metrics/exporter.h"
#include "provisioner/base/clock.h"
#include "provisioner/base/printable.h"
#include "provisioner/daemon/log_reader.h"
#include "provisioner/daemon/requests.h"
#include "provisioner/daemon/supervisor_client.h"
#include "provisioner/daemon/views.h"

namespace umlfarm::daemon {

namespace json = boost::json;

namespace {

constexpr unsigned kEventsAtOnce = 500;
// Of one that is noted: whoever asked may have said anything.
constexpr std::size_t kMostOfACommand = 200;

Error no_such_address(const api::Request& request) {
  std::string path;
  for (const std::string& segment : request.path) path += "/" + segment;
  return {Kind::NotFound, request.method + " /v1" + path + ": there is no such thing"};
}

template <typename Number>
Result<Number> number(const api::Request& request, const char* key, Number fallback) {
  const auto found = request.query.find(key);
  if (found == request.query.end()) return fallback;
  Number value{};
  const std::string& text = found->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && !text.empty()) return value;
  return Error(Kind::Invalid, std::string(key) + " '" + text + "': must be a whole number");
}

Result<json::object> body_object(const api::Request& request) {
  if (request.body.empty()) return json::object();
  boost::system::error_code error;
  const json::value value = json::parse(request.body, error);
  if (error || !value.is_object()) return Error(Kind::Invalid, "the request is not a JSON object");
  return value.as_object();
}

Result<std::string> body_text(const api::Request& request, const char* key, bool needed) {
  UMLFARM_ASSIGN(const json::object body, body_object(request));
  const json::value* const value = body.if_contains(key);
  if (value == nullptr && !needed) return std::string();
  if (value == nullptr || !value->is_string())
    return Error(Kind::Invalid, std::string("field '") + key + "' must be a string");
  return json::value_to<std::string>(*value);
}

Result<std::optional<std::int64_t>> body_deadline(const api::Request& request) {
  UMLFARM_ASSIGN(const json::object body, body_object(request));
  const json::value* const value = body.if_contains("deadline_ms");
  if (value == nullptr) return std::optional<std::int64_t>();
  constexpr std::int64_t kDay = 86'400'000;
  if (!value->is_int64() || value->as_int64() < 0 || value->as_int64() > kDay) {
    return Error(Kind::Invalid, "field 'deadline_ms' must be 0 to 86400000");
  }
  return std::optional<std::int64_t>(value->as_int64());
}

bool follows(const api::Request& request) {
  const auto found = request.query.find("follow");
  return found != request.query.end() && found->second != "0";
}

std::string event_lines(const std::vector<Event>& events) {
  std::string lines;
  for (const Event& event : events) lines += json::serialize(event_view(event)) + "\n";
  return lines;
}

}  // namespace

api::Response FarmService::handle(const api::Request& request) {
  const AskedScope asked(request.peer);
  Result<api::Response> response = route(request);
  if (response) return *std::move(response);
  farm_.tally().add_error(response.error().kind());
  return api::error_response(response.error());
}

// One that changes something is noted before it does.
void FarmService::note(const api::Request& request) {
  if (request.method == "GET" || request.path.empty()) return;
  const bool of_guest = request.path[0] == "guests" && request.path.size() > 1;
  // Of one that is made, its own event tells.
  if (request.path[0] == "guests" && !of_guest) return;
  if (of_guest && !farm_.find(request.path[1])) return;
  std::string what = request.method == "DELETE" ? "delete" : "";
  for (std::size_t i = of_guest ? 2 : 0; i < request.path.size(); ++i)
    what += (what.empty() ? "" : " ") + request.path[i];
  // By what it is named alone, nobody would know whether it stopped the guest or asked for its version.
  if (what == "mconsole")
    what += " " + printable(body_text(request, "command", true).value_or("").substr(0, kMostOfACommand));
  farm_.note_asked(of_guest ? request.path[1] : "", what.empty() ? "set" : what);
}

Result<api::Response> FarmService::route(const api::Request& request) {
  note(request);
  const std::string first = request.path.empty() ? "" : request.path[0];
  const bool alone = request.path.size() == 1 && request.method == "GET";
  if (first == "guests") return request.path.size() == 1 ? route_guests(request) : route_guest(request);
  if (first == "images") return route_catalog(Catalog::Images, request);
  if (first == "kernels") return route_catalog(Catalog::Kernels, request);
  if (first == "events" && alone) return events(request);
  if (first == "metrics" && alone) {
    const auto text = collector_.text();
    if (!text) return Error(Kind::Unavailable, "no metrics: " + collector_.trouble());
    return api::Response{200, metrics::kContentType, *text, {}};
  }
  if (first == "plans" && alone) {
    json::array plans;
    for (const quota::Plan& plan : farm_.config().plans) plans.push_back(plan_view(plan));
    return api::json_response(200, {{"plans", plans}});
  }
  if (first == "status" && alone) {
    UMLFARM_ASSIGN(const FarmStatus status, farm_.status());
    return api::json_response(200, status_view(status, farm_.config().capacity));
  }
  if (first == "host" && alone) {
    UMLFARM_ASSIGN(const FarmStatus status, farm_.status());
    return api::json_response(200, host_view(status, farm_.config().capacity));
  }
  if (first == "usage" && alone) {
    json::array guests;
    const guest::Counters counters = farm_.counters().value_or(guest::Counters());
    for (const Guest& guest : farm_.list()) guests.push_back(usage_view(farm_, guest, counters));
    return api::json_response(200, {{"guests", guests}});
  }
  if (first == "uses" && alone) return uses(request);
  if (first == "tenants" && request.path.size() <= 2) return route_tenants(request);
  return no_such_address(request);
}

Result<api::Response> FarmService::uses(const api::Request& request) {
  const auto text = [&](const char* key) {
    const auto found = request.query.find(key);
    return found == request.query.end() ? std::string() : found->second;
  };
  const std::string month = text("month").empty() ? quota::month_of(wall_clock_ms()) : text("month");
  UMLFARM_ASSIGN(const quota::Month hours, quota::parse_month(month));
  const UseQuery query{hours.begin, hours.end, text("tenant"), text("guest"), text("by") == "hour"};
  UMLFARM_ASSIGN(const std::vector<UseSum> sums, farm_.uses(query));
  return api::json_response(200, uses_view(month, sums, query.by_hour));
}

Result<api::Response> FarmService::route_guests(const api::Request& request) {
  if (request.method == "POST") return create(request);
  if (request.method != "GET") return no_such_address(request);
  const json::storage_ptr storage = json::make_shared_resource<json::monotonic_resource>();
  json::array guests(storage);
  for (const Guest& guest : farm_.list()) guests.push_back(guest_view(farm_, guest, storage));
  json::object answer(storage);
  answer.emplace("guests", std::move(guests));
  return api::json_response(200, std::move(answer));
}

Result<api::Response> FarmService::create(const api::Request& request) {
  UMLFARM_ASSIGN(CreateRequest asked, read_create_request(request.body));
  asked.asker = request.peer;
  UMLFARM_ASSIGN(const std::vector<Guest> created, farm_.create(asked));
  json::array guests;
  for (const Guest& guest : created) guests.push_back(guest_view(farm_, guest));
  return api::json_response(201, {{"guests", guests}});
}

Result<api::Response> FarmService::accepted(Result<Guest> guest) {
  if (!guest) return std::move(guest).error();
  return api::json_response(202, guest_view(farm_, *guest));
}

Result<api::Response> FarmService::route_guest(const api::Request& request) {
  const std::string& name = request.path[1];
  const std::string verb = request.path.size() == 3 ? request.path[2] : "";
  if (request.path.size() == 2 && request.method == "GET") {
    UMLFARM_ASSIGN(const Guest guest, farm_.look(name));
    return api::json_response(200, guest_view(farm_, guest));
  }
  if (request.path.size() == 2 && request.method == "DELETE") return accepted(farm_.remove(name));
  if (verb == "inside" && request.method == "GET") {
    UMLFARM_ASSIGN(const quota::Inside inside, farm_.inside(name));
    return api::json_response(200, inside_view(inside));
  }
  if (verb == "log" && request.method == "GET") return log(request);
  if (verb == "usage" && request.method == "GET") {
    UMLFARM_ASSIGN(const Guest guest, farm_.find(name));
    const guest::Counters counters = farm_.counters().value_or(guest::Counters());
    return api::json_response(200, usage_view(farm_, guest, counters));
  }
  if (request.method != "POST") return no_such_address(request);
  if (verb == "start") return accepted(farm_.start(name));
  if (verb == "suspend" && request.method == "POST") {
    UMLFARM_ASSIGN(const std::string reason, body_text(request, "reason", true));
    return accepted(farm_.suspend(name, reason));
  }
  if (verb == "unsuspend" && request.method == "POST") return accepted(farm_.unsuspend(name));
  if (verb == "restart") return accepted(farm_.restart(name));
  if (verb == "mconsole") return mconsole(request);
  if (verb == "limits") {
    UMLFARM_ASSIGN(const LimitsRequest asked, read_limits_request(request.body));
    UMLFARM_ASSIGN(const LimitsReport report, farm_.set_limits(name, asked));
    return api::json_response(200, limits_view(farm_, report));
  }
  if (verb == "stop") {
    UMLFARM_ASSIGN(const std::optional<std::int64_t> deadline, body_deadline(request));
    return accepted(farm_.stop(name, deadline));
  }
  return no_such_address(request);
}

Result<api::Response> FarmService::mconsole(const api::Request& request) {
  UMLFARM_ASSIGN(const std::string command, body_text(request, "command", true));
  UMLFARM_ASSIGN(const std::string reply, farm_.mconsole(request.path[1], command));
  return api::json_response(200, {{"reply", reply}});
}

Result<api::Response> FarmService::log(const api::Request& request) {
  UMLFARM_ASSIGN(const Guest guest, farm_.find(request.path[1]));
  auto reader = std::make_shared<LogReader>(farm_.paths().console_log(guest.record.id()));
  UMLFARM_ASSIGN(std::string text, reader->everything());
  api::Response response{200, "text/plain; charset=utf-8", std::move(text), {}};
  if (follows(request)) response.more = [reader] { return reader->more(); };
  return response;
}

Result<api::Response> FarmService::events(const api::Request& request) {
  UMLFARM_ASSIGN(const std::int64_t since, number<std::int64_t>(request, "since", 0));
  const auto named = request.query.find("guest");
  const std::string guest = named == request.query.end() ? "" : named->second;
  auto last = std::make_shared<std::int64_t>(since);
  const auto next = [this, last, guest]() -> Result<std::string> {
    UMLFARM_ASSIGN(const std::vector<Event> events, farm_.events({*last, guest, kEventsAtOnce}));
    if (!events.empty()) *last = events.back().id;
    return event_lines(events);
  };
  api::Response response{200, "application/x-ndjson", {}, {}};
  for (std::int64_t before = -1; before != *last;) {
    before = *last;
    UMLFARM_ASSIGN(const std::string lines, next());
    response.body += lines;
  }
  if (follows(request)) response.more = next;
  return response;
}

Result<api::Response> FarmService::route_tenants(const api::Request& request) {
  if (request.path.size() == 1 && request.method == "GET") {
    UMLFARM_ASSIGN(const std::vector<TenantAccount> accounts, farm_.tenants());
    json::array tenants;
    for (const TenantAccount& account : accounts) tenants.push_back(tenant_view(account));
    return api::json_response(200, {{"tenants", tenants}});
  }
  if (request.path.size() == 1 && request.method == "POST") {
    UMLFARM_ASSIGN(const Tenant tenant, read_tenant_request(request.body, {}));
    UMLFARM_ASSIGN(const TenantAccount account, farm_.add_tenant(tenant));
    return api::json_response(201, tenant_view(account));
  }
  if (request.path.size() != 2) return no_such_address(request);
  const std::string& name = request.path[1];
  if (request.method == "GET") {
    UMLFARM_ASSIGN(const TenantAccount account, farm_.tenant(name));
    return api::json_response(200, tenant_view(account));
  }
  if (request.method == "POST") {
    UMLFARM_ASSIGN(const TenantAccount account, farm_.set_tenant(name, [&](Tenant tenant) {
      return read_tenant_request(request.body, std::move(tenant));
    }));
    return api::json_response(200, tenant_view(account));
  }
  if (request.method == "DELETE") {
    UMLFARM_ASSIGN(const TenantAccount account, farm_.remove_tenant(name));
    return api::json_response(200, tenant_view(account));
  }
  return no_such_address(request);
}

Result<api::Response> FarmService::route_catalog(Catalog which, const api::Request& request) {
  if (request.method == "GET" && request.path.size() == 1) {
    UMLFARM_ASSIGN(const std::vector<CatalogEntry> entries, farm_.catalog(which));
    const std::vector<Guest> guests = farm_.list();
    json::array views;
    for (const CatalogEntry& entry : entries) {
      const auto users = std::count_if(guests.begin(), guests.end(), [&](const Guest& guest) {
        const GuestIdentity& identity = guest.record.identity;
        return (which == Catalog::Images ? identity.image_digest : identity.kernel_digest) == entry.digest;
      });
      views.push_back(entry_view(entry, static_cast<std::size_t>(users)));
    }
    return api::json_response(200, {{which == Catalog::Images ? "images" : "kernels", views}});
  }
  if (request.method == "POST" && request.path.size() == 1) {
    UMLFARM_ASSIGN(const std::string path, body_text(request, "path", true));
    UMLFARM_ASSIGN(const std::string name, body_text(request, "name", false));
    UMLFARM_ASSIGN(const CatalogEntry entry, farm_.add(which, path, name, request.peer));
    return api::json_response(201, entry_view(entry, 0));
  }
  if (request.method == "POST" && request.path.size() == 3 && request.path[2] == "verify") {
    UMLFARM_ASSIGN(const CatalogEntry entry, farm_.verify(which, request.path[1]));
    return api::json_response(200, entry_view(entry, 0));
  }
  if (request.method == "DELETE" && request.path.size() == 2) {
    UMLFARM_ASSIGN(const CatalogEntry entry, farm_.remove(which, request.path[1]));
    return api::json_response(200, entry_view(entry, 0));
  }
  return no_such_address(request);
}

Result<api::Channel> FarmService::open_channel(const api::Request& request) {
  Result<api::Channel> channel = route_channel(request);
  if (!channel) farm_.tally().add_error(channel.error().kind());
  return channel;
}

Result<api::Channel> FarmService::route_channel(const api::Request& request) {
  const Path& path = request.path;
  if (path.size() == 3 && path[0] == "guests" && path[2] == "console") {
    UMLFARM_ASSIGN(const Guest guest, farm_.find(path[1]));
    const std::string socket = farm_.paths().supervisor_socket(guest.record.id());
    auto stream = open_supervisor_stream(socket, "attach");
    if (!stream) return Error(Kind::Unavailable, "guest '" + path[1] + "' does not run; start it first");
    return api::Channel{std::move(stream->socket), true, {}};
  }
  if (path.size() == 3 && path[0] == "guests" && path[2] == "tunnel") {
    UMLFARM_ASSIGN(const std::uint16_t port, number<std::uint16_t>(request, "port", 22));
    UMLFARM_ASSIGN(UniqueFd connection, farm_.connect(path[1], port));
    return api::Channel{std::move(connection), false, {}};
  }
  return no_such_address(request);
}

}  // namespace umlfarm::daemon
