#include "metrics/families.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace umlfarm::metrics {
namespace {

using Samples = std::vector<Sample>;

// All that a guest can be in: each has its sum, also where it is none.
constexpr std::array kStates{"creating", "starting", "ready",     "unhealthy", "stopping",
                             "stopped",  "failed",   "suspended", "deleting"};

// A figure that may be missing: then there is no sample that would say that it is nothing.
using Figure = std::optional<double>;

template <typename Value>
Family of_guests(const char* name, bool counter, const char* help, Value value) {
  return {name, counter, {"guest"}, help, [value](const Snapshot& snapshot) {
            Samples samples;
            samples.reserve(snapshot.guests.size());
            for (const Guest& guest : snapshot.guests) {
              if (const Figure figure = value(guest)) samples.push_back({{guest.name}, *figure});
            }
            return samples;
          }};
}

template <typename Number>
Figure figure(const Number& number) {
  return static_cast<double>(number);
}
template <typename Number>
Figure figure(const std::optional<Number>& number) {
  return number ? Figure(static_cast<double>(*number)) : Figure();
}

template <typename Value>
Family gauge(const char* name, const char* help, Value Guest::*value) {
  return of_guests(name, false, help, [value](const Guest& guest) { return figure(guest.*value); });
}
// Of those that run.
template <typename Value>
Family running(const char* name, bool counter, const char* help, Value Running::*value) {
  return of_guests(name, counter, help, [value](const Guest& guest) {
    return guest.running ? figure((*guest.running).*value) : Figure();
  });
}
template <typename Value>
Family traffic(const char* name, const char* help, Traffic Guest::*way, Value Traffic::*value) {
  return of_guests(name, true, help,
                   [way, value](const Guest& guest) { return figure((guest.*way).*value); });
}

// One sample for each entry of a map.
template <typename Map, typename Value>
Family of_host(const char* name, bool counter, const char* label, const char* help, Map Host::*map,
               Value value) {
  return {name, counter, {label}, help, [map, value](const Snapshot& snapshot) {
            Samples samples;
            for (const auto& [key, entry] : snapshot.host.*map)
              samples.push_back({{key}, static_cast<double>(value(entry))});
            return samples;
          }};
}

template <typename Value>
Family of_farm(const char* name, const char* help, Value value) {
  return {name, false, {}, help, [value](const Snapshot& snapshot) {
            return Samples{{{}, static_cast<double>(value(snapshot))}};
          }};
}

// "memory" and "promised": "memory_promised_bytes".
std::string amount_name(const char* of, const std::string& resource, const char* what) {
  const bool bytes = resource == "memory" || resource == "disk";
  return std::string("umlfarm_") + of + "_" + resource + "_" + what + (bytes ? "_bytes" : "");
}

template <typename Value>
Family of_resource(const std::string& resource, const char* what, const std::string& help, Value value) {
  return {amount_name("host", resource, what), false, {}, help, [resource, value](const Snapshot& snapshot) {
            const auto found = snapshot.host.resources.find(resource);
            if (found == snapshot.host.resources.end()) return Samples{};
            const Figure amount = figure(found->second.*value);
            return amount ? Samples{{{}, *amount}} : Samples{};
          }};
}

template <typename Value>
Family of_tenants(const std::string& resource, const char* what, const std::string& help, Value value) {
  return {amount_name("tenant", resource, what),
          false,
          {"tenant"},
          help,
          [resource, value](const Snapshot& snapshot) {
            Samples samples;
            for (const Tenant& tenant : snapshot.tenants) {
              const auto found = tenant.resources.find(resource);
              if (found == tenant.resources.end()) continue;
              const std::optional<std::uint64_t> amount = found->second.*value;
              if (amount) samples.push_back({{tenant.name}, static_cast<double>(*amount)});
            }
            return samples;
          }};
}

std::vector<Family> resource_families() {
  std::vector<Family> all;
  for (const std::string resource : {"memory", "disk", "processors"}) {
    all.push_back(of_resource(resource, "size", "The host's " + resource + ".", &Resource::has));
    all.push_back(of_resource(resource, "capacity",
                              "What of the host's " + resource + " may be promised to guests.",
                              &Resource::capacity));
    all.push_back(of_resource(resource, "promised",
                              "What of the host's " + resource + " is promised to guests.",
                              &Resource::promised));
  }
  all.push_back(
      of_resource("memory", "used", "What of the host's memory is in use, by whomever.", &Resource::used));
  all.push_back(of_resource("disk", "used",
                            "What of the host's disk is in use, by whomever, or kept for root alone.",
                            &Resource::used));
  for (const std::string resource : {"guests", "memory", "disk", "processors"}) {
    all.push_back(of_tenants(resource, "promised", "A tenant's guests' " + resource + ", as promised.",
                             &Promise::promised));
    all.push_back(
        of_tenants(resource, "limit", "The most of that; none where there is no limit.", &Promise::limit));
  }
  return all;
}

Samples build_info(const Snapshot& snapshot) { return {{{snapshot.host.version}, 1}}; }

Samples guests_by_state(const Snapshot& snapshot) {
  Samples samples;
  for (const char* const state : kStates) {
    const auto count = std::count_if(snapshot.guests.begin(), snapshot.guests.end(),
                                     [&](const Guest& guest) { return guest.state == state; });
    samples.push_back({{state}, static_cast<double>(count)});
  }
  return samples;
}

Samples guest_info(const Snapshot& snapshot) {
  Samples samples;
  for (const Guest& guest : snapshot.guests) {
    samples.push_back({{guest.name, guest.id, guest.tenant, guest.plan, guest.image, guest.kernel}, 1});
  }
  return samples;
}

Samples guest_state(const Snapshot& snapshot) {
  Samples samples;
  for (const Guest& guest : snapshot.guests) samples.push_back({{guest.name, guest.state}, 1});
  return samples;
}

Samples guest_restarts(const Snapshot& snapshot) {
  Samples samples;
  for (const Guest& guest : snapshot.guests) {
    for (const auto& [cause, count] : guest.restarts)
      samples.push_back({{guest.name, cause}, static_cast<double>(count)});
  }
  return samples;
}

std::vector<Family> farm_families() {
  const auto pool = [](const char* name, const char* help, std::uint64_t Pool::*amount) {
    return of_host(name, false, "pool", help, &Host::pools,
                   [amount](const Pool& each) { return each.*amount; });
  };
  const auto work = [](const char* name, const char* help, auto Work::*amount) {
    return of_host(name, true, "action", help, &Host::actions,
                   [amount](const Work& each) { return each.*amount; });
  };
  return {
      {"umlfarm_build_info", false, {"version"}, "Always 1; which umlfarmd this is.", build_info},
      of_farm("umlfarm_snapshot_timestamp_seconds", "When all of this was looked at.",
              [](const Snapshot& snapshot) { return snapshot.taken; }),
      of_farm("umlfarm_snapshot_duration_seconds", "How long it took to look at all of this.",
              [](const Snapshot& snapshot) { return snapshot.collection_seconds; }),
      of_farm("umlfarm_host_notices", "Things that this host can't do; umlfarm status names them.",
              [](const Snapshot& snapshot) { return snapshot.host.notices; }),
      {"umlfarm_host_libvirt_up",
       false,
       {},
       "1 while libvirt counts what the host has, 0 while the kernel must; none where it is not asked to.",
       [](const Snapshot& snapshot) {
         const std::optional<bool> up = snapshot.host.libvirt;
         return up ? Samples{{{}, *up ? 1.0 : 0.0}} : Samples{};
       }},
      {"umlfarm_host_cpu_seconds_total",
       true,
       {},
       "Time that the host's processors worked, all of them together.",
       [](const Snapshot& snapshot) {
         return Samples{{{}, snapshot.host.busy_seconds}};
       }},
      of_host("umlfarm_host_waiting_seconds_total", true, "resource",
              "Time that something on the host waited for this, by /proc/pressure.", &Host::waiting_seconds,
              [](double seconds) { return seconds; }),
      pool("umlfarm_pool_size", "Addresses or users that there are for guests.", &Pool::size),
      pool("umlfarm_pool_used", "Those that guests have.", &Pool::used),
      work("umlfarm_actions_total", "Steps of work on guests that were done.", &Work::done),
      work("umlfarm_action_failures_total", "Steps of work on guests that failed.", &Work::failed),
      work("umlfarm_action_seconds_total", "Time that these steps took.", &Work::seconds),
      of_host("umlfarm_errors_total", true, "kind",
              "Requests of those who may ask that were refused or failed.", &Host::errors,
              [](std::uint64_t count) { return count; }),
      {"umlfarm_guests", false, {"state"}, "Guests in this state.", guests_by_state},
  };
}

std::vector<Family> guest_families() {
  return {
      {"umlfarm_guest_info",
       false,
       {"guest", "id", "tenant", "plan", "image", "kernel"},
       "Always 1; what a guest is made of.",
       guest_info},
      {"umlfarm_guest_state", false, {"guest", "state"}, "Always 1; what it is in now.", guest_state},
      gauge("umlfarm_guest_ready", "1 while it is up and its kernel answers.", &Guest::ready),
      running("umlfarm_guest_start_time_seconds", false, "When it was started, since 1970.",
              &Running::started),
      running("umlfarm_guest_boot_duration_seconds", false, "From its start until it was ready.",
              &Running::boot_seconds),
      {"umlfarm_guest_restarts_total",
       true,
       {"guest", "cause"},
       "Ends that nobody had asked for; but for one by its plan's host_memory, it starts again.",
       guest_restarts},
      running("umlfarm_guest_cpu_seconds_total", true, "Processor time of all its host processes.",
              &Running::cpu_seconds),
      running("umlfarm_guest_kernel_cpu_seconds_total", true,
              "Of that, its kernel's; the rest is of the host processes that hold its own.",
              &Running::kernel_cpu_seconds),
      running("umlfarm_guest_cpu_held_seconds_total", true,
              "Time that its cap on processor time kept it waiting.", &Running::cpu_held_seconds),
      gauge("umlfarm_guest_memory_promised_bytes", "The memory that it is sold: what the host gives it.",
            &Guest::memory_promised),
      running("umlfarm_guest_memory_allocated_bytes", false, "Of its memory, what the host holds.",
              &Running::memory_allocated),
      running("umlfarm_guest_host_memory_bytes", false, "What the host holds for it in all.",
              &Running::host_memory),
      running("umlfarm_guest_host_memory_peak_bytes", false, "The most of that since its start.",
              &Running::host_memory_peak),
      gauge("umlfarm_guest_host_memory_limit_bytes", "The most that the host holds for it.",
            &Guest::host_memory_limit),
      running("umlfarm_guest_memory_kills_total", true,
              "Its host processes that were killed for want of memory.", &Running::memory_kills),
      gauge("umlfarm_guest_disk_limit_bytes", "The size of its disk.", &Guest::disk_limit),
      gauge("umlfarm_guest_disk_allocated_bytes", "What its disk takes on the host's, without its image.",
            &Guest::disk_allocated),
      gauge("umlfarm_guest_swap_allocated_bytes", "What its swap takes there.", &Guest::swap_allocated),
      running("umlfarm_guest_disk_read_bytes_total", true, "What it had the host's disk read.",
              &Running::disk_read),
      running("umlfarm_guest_disk_written_bytes_total", true, "What it had the host's disk write.",
              &Running::disk_written),
      running("umlfarm_guest_disk_reads_total", true, "Operations of that.", &Running::disk_reads),
      running("umlfarm_guest_disk_writes_total", true, "Operations of that.", &Running::disk_writes),
      traffic("umlfarm_guest_network_receive_bytes_total", "IP packets that were carried to it.", &Guest::in,
              &Traffic::bytes),
      traffic("umlfarm_guest_network_receive_packets_total", "Number of these.", &Guest::in,
              &Traffic::packets),
      traffic("umlfarm_guest_network_receive_drops_total", "Packets to it that its rate had no room for.",
              &Guest::in, &Traffic::drops),
      traffic("umlfarm_guest_network_transmit_bytes_total", "IP packets that were carried from it.",
              &Guest::out, &Traffic::bytes),
      traffic("umlfarm_guest_network_transmit_packets_total", "Number of these.", &Guest::out,
              &Traffic::packets),
      traffic("umlfarm_guest_network_transmit_drops_total", "Packets from it that its rate had no room for.",
              &Guest::out, &Traffic::drops),
      running("umlfarm_guest_processes", false, "Its host processes, threads included.", &Running::processes),
      gauge("umlfarm_guest_processes_limit", "The most of these.", &Guest::processes_limit),
      running("umlfarm_guest_console_dropped_bytes_total", true,
              "Of its console, what no reader was fast enough for.", &Running::console_dropped),
      running("umlfarm_guest_mconsole_latency_seconds", false,
              "What its kernel's latest answer to its supervisor took.", &Running::mconsole_seconds),
      running("umlfarm_guest_busiest_process_processors", false,
              "Processors that its busiest host process takes; none where all of them rest at times.",
              &Running::busiest),
      running("umlfarm_guest_inside_load1", false,
              "The load over a minute that it says it has, where it is asked.", &Running::inside_load),
      running("umlfarm_guest_inside_memory_available_bytes", false,
              "The memory that it says it has left, where it is asked.", &Running::inside_memory_available),
      running("umlfarm_guest_inside_uptime_seconds", false,
              "For how long it says it has been up, where it is asked.", &Running::inside_uptime),
  };
}

}  // namespace

const std::vector<Family>& families() {
  static const std::vector<Family> all = [] {
    std::vector<Family> together = farm_families();
    std::ranges::move(resource_families(), std::back_inserter(together));
    std::ranges::move(guest_families(), std::back_inserter(together));
    return together;
  }();
  return all;
}

}  // namespace umlfarm::metrics
