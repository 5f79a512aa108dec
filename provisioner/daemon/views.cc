#include "provisioner/daemon/views.h"

#include <boost/json.hpp>

#include "provisioner/base/clock.h"
#include "provisioner/base/posix.h"
#include "provisioner/daemon/kernel_needs.h"
#include "quota/limit_fields.h"

namespace umlfarm::daemon {

namespace json = boost::json;

namespace {

constexpr quota::Resource kOfHost[] = {quota::Resource::Memory, quota::Resource::Disk,
                                       quota::Resource::Processors};

json::object amounts_view(const quota::Amounts& amounts) {
  json::object view;
  for (const quota::Resource resource : quota::kResources)
    view[quota::resource_name(resource)] = amounts[resource];
  return view;
}

json::object taps_view(const quota::TapLimits& limits) {
  return {{"rate_in", limits.rate_in.bits()},
          {"rate_out", limits.rate_out.bits()},
          {"packets", limits.packets},
          {"closed", limits.closed}};
}

}  // namespace

json::object guest_view(const Farm& farm, const Guest& guest, json::storage_ptr storage) {
  const GuestRecord& record = guest.record;
  const GuestIdentity& identity = record.identity;
  const GuestState state = state_of(guest, wall_clock_ms(), farm.config().guests.ready_seconds);
  const guest::Addresses addresses = farm.pool().at(identity.address);
  const std::string id = record.id();
  json::object view({{"name", record.name},
                     {"id", id},
                     {"tenant", identity.tenant},
                     {"user", identity.user},
                     {"plan", identity.plan},
                     {"image", identity.image},
                     {"image_digest", identity.image_digest},
                     {"kernel", identity.kernel},
                     {"kernel_digest", identity.kernel_digest},
                     {"userspace", identity.kernel_features.userspace()},
                     {"desired", desired_name(record.desired)},
                     {"state", state.name},
                     {"reason", state.reason},
                     {"suspended", record.suspended},
                     {"memory_allocated", guest.live.status.memory_allocated},
                     {"disk_allocated", posix::allocated(farm.paths().disk(id))},
                     {"address4", guest::without_prefix(addresses.address4)},
                     {"address6", guest::without_prefix(addresses.address6)},
                     {"mac", identity.mac},
                     {"processors", json::value_from(farm.processors_of(id))},
                     {"created_ms", identity.created_ms},
                     {"started_ms", guest.live.status.started_ms},
                     {"ready_ms", guest.live.status.ready_ms},
                     {"host_key", identity.host_key_public},
                     {"restarts", all_restarts(record)}},
                    std::move(storage));
  // All limits but the number of processors, where it says which these are.
  for (const auto& limit : quota::to_json(record.limits)) view.insert(limit);
  return view;
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
  json::object view = quota::to_json(plan.limits);
  view["memory_ceiling"] = quota::boot_memory(plan.limits).bytes();
  view["name"] = plan.name;
  view["kernel"] = plan.kernel;
  view["summary"] = plan.summary;
  json::object& texts = view["texts"].emplace_object();
  for (const quota::LimitField& field : quota::limit_fields()) {
    texts[quota::label_of(field)] = quota::text_of(field, quota::value_of(plan.limits, field));
  }
  return view;
}

json::object event_view(const Event& event) {
  return {{"id", event.id},          {"time_ms", event.time_ms},   {"guest", event.guest},
          {"kind", event.kind},      {"asked_by", event.asked.by}, {"request", event.asked.request},
          {"message", event.message}};
}

json::object status_view(const FarmStatus& status, const quota::Overcommit& overcommit) {
  json::array problems;
  for (const Problem& problem : status.problems)
    problems.push_back({{"what", problem.what}, {"remedy", problem.remedy}});
  json::object view{{"version", UMLFARM_VERSION},
                    {"well", problems.empty()},
                    {"problems", problems},
                    {"guests", json::value_from(status.guests)},
                    {"notices", json::value_from(status.notices)}};
  const quota::Bounds most = quota::bounds_of(status.host, overcommit);
  for (const quota::Resource resource : kOfHost) {
    view[quota::resource_name(resource)] = {{"promised", status.promised[resource]},
                                            {"capacity", most[resource]}};
  }
  return view;
}

json::object host_view(const FarmStatus& status, const quota::Overcommit& overcommit) {
  json::array cells;
  for (const ByteSize& cell : status.host.cells) cells.push_back(cell.bytes());
  json::object view{{"source", status.host.source},
                    {"cells", cells},
                    {"domains", status.host.domains},
                    {"disk_quota", status.disk_quota}};
  for (const quota::Resource resource : kOfHost) {
    const quota::Share share = quota::share_of(resource, status.host, overcommit);
    view[quota::resource_name(resource)] = {
        {"has", share.has},         {"domains", share.taken},   {"reserve", share.reserve},
        {"percent", share.percent}, {"capacity", share.most()}, {"promised", status.promised[resource]}};
  }
  return view;
}

json::object usage_view(const Farm& farm, const Guest& guest, const guest::Counters& counters) {
  const GuestRecord& record = guest.record;
  const quota::Limits& limits = record.limits;
  const quota::Usage usage = farm.usage(guest);
  const quota::Traffic traffic = farm.traffic(guest, counters);
  const auto carried = [](const quota::Carried& bytes) {
    return json::object{{"in", bytes.in}, {"out", bytes.out}};
  };
  const std::string id = record.id();
  return {{"name", record.name},
          {"plan", record.identity.plan},
          {"state", state_of(guest, wall_clock_ms(), farm.config().guests.ready_seconds).name},
          {"time_ms", monotonic_ms()},
          {"memory",
           {{"limit", limits.memory.bytes()},
            {"ceiling", limits.memory_ceiling.bytes()},
            {"used", usage.memory_file.bytes()}}},
          {"host_memory",
           {{"limit", quota::group_memory(limits).bytes()},
            {"used", usage.memory.bytes()},
            {"peak", usage.memory_peak.bytes()},
            {"kills", usage.memory_kills}}},
          {"processes",
           {{"limit", quota::group_processes(limits)},
            {"used", usage.processes},
            {"peak", usage.processes_peak}}},
          {"cpu",
           {{"processors", limits.processors},
            {"weight", limits.cpu_weight},
            {"percent", limits.cpu_percent},
            {"used_ns", usage.cpu_ns},
            {"held_ns", usage.cpu_held_ns}}},
          {"network",
           {{"limit", limits.traffic.bytes()},
            {"used", traffic.this_month.in + traffic.this_month.out},
            {"month", traffic.month},
            {"this_month", carried(traffic.this_month)},
            {"ever", carried(traffic.ever)},
            {"held_to", taps_view(quota::tap_limits(limits, traffic))}}},
          {"disk_io",
           {{"read", usage.disk_read.bytes()},
            {"written", usage.disk_written.bytes()},
            {"read_rate", limits.read_rate.bytes()},
            {"write_rate", limits.write_rate.bytes()},
            {"read_operations", limits.read_operations},
            {"write_operations", limits.write_operations}}},
          {"disk", {{"limit", limits.disk.bytes()}, {"used", posix::allocated(farm.paths().disk(id))}}},
          {"swap", {{"limit", limits.swap.bytes()}, {"used", posix::allocated(farm.paths().swap(id))}}}};
}

json::object inside_view(const quota::Inside& inside) {
  return {{"load", {inside.load1, inside.load5, inside.load15}},
          {"memory_total", inside.memory_total.bytes()},
          {"memory_available", inside.memory_available.bytes()},
          {"uptime_seconds", inside.uptime_seconds}};
}

json::object uses_view(const std::string& month, const std::vector<UseSum>& sums, bool by_hour) {
  // In the order in which they are shown.
  using Figures = std::vector<std::pair<const char*, std::uint64_t>>;
  const auto figures = [](const UseSum& sum) {
    const quota::Use& use = sum.of.use;
    return Figures{{"running_ms", use.running_ms},
                   {"stopped_ms", use.stopped_ms},
                   {"suspended_ms", use.suspended_ms},
                   {"cpu_ns", use.cpu_ns},
                   {"memory_promised_byte_hours", sum.memory_promised},
                   {"memory_held_byte_hours", sum.memory_held},
                   {"disk_promised_byte_hours", sum.disk_promised},
                   {"disk_held_byte_hours", sum.disk_held},
                   {"bytes_in", use.traffic.in},
                   {"bytes_out", use.traffic.out}};
  };
  json::array guests;
  json::object tenants;
  for (const UseSum& sum : sums) {
    const UseEntry& of = sum.of;
    json::object guest{{"tenant", of.tenant},
                       {"user", of.user},
                       {"guest", of.name},
                       {"id", guest_id(of.guest)},
                       {"plan", of.plan}};
    if (by_hour) guest["hour"] = format_time(of.hour * quota::kHourMs);
    json::object& tenant = tenants.emplace(of.tenant, json::object()).first->value().as_object();
    for (const auto& [name, value] : figures(sum)) {
      guest[name] = value;
      json::value& total = tenant[name];
      total = value + (total.is_null() ? 0 : total.to_number<std::uint64_t>());
    }
    guests.push_back(std::move(guest));
  }
  return {{"month", month}, {"guests", std::move(guests)}, {"tenants", std::move(tenants)}};
}

json::object limits_view(const Farm& farm, const LimitsReport& report) {
  const auto memory = [](const quota::Limits& limits) { return limits.memory.bytes(); };
  return {{"guest", guest_view(farm, report.guest)},
          {"memory",
           {{"before", memory(report.before)},
            {"asked", memory(report.asked)},
            {"given", memory(report.given)},
            {"held_before", report.held_before.bytes()},
            {"held_now", report.held_now.bytes()}}},
          {"complete", report.asked.memory == report.given.memory},
          {"restarts", report.restarts},
          {"summary", describe(report)}};
}

json::object tenant_view(const TenantAccount& account) {
  json::object users;
  for (const auto& [name, amounts] : account.users) users[name] = amounts_view(amounts);
  return {{"name", account.tenant.name},
          {"limits", to_json(account.tenant.bounds)},
          {"each_user", to_json(account.tenant.each_user)},
          {"promised", amounts_view(account.promised)},
          {"users", users}};
}

}  // namespace umlfarm::daemon
