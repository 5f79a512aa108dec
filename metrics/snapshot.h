// What the farm was doing at one moment: plain values, in bytes, seconds and numbers since something began.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace umlfarm::metrics {

// One way of a guest's network, seen from the guest.
struct Traffic {
  // Since the farm's network was made; none where it can't be read.
  std::optional<std::uint64_t> bytes;
  std::optional<std::uint64_t> packets;
  std::optional<std::uint64_t> drops;  // packets, since its tap was made
};

// Of a guest that runs, since it was started.
struct Running {
  double started = 0;                  // seconds since 1970
  std::optional<double> boot_seconds;  // from there until it was ready
  double cpu_seconds = 0;              // of all its host processes
  double kernel_cpu_seconds = 0;       // of its kernel's alone
  double cpu_held_seconds = 0;         // that its cap kept it waiting
  std::uint64_t memory_allocated = 0;
  std::uint64_t host_memory = 0;  // of its control group, with what the host keeps for it
  std::uint64_t host_memory_peak = 0;
  std::uint64_t memory_kills = 0;
  std::uint64_t disk_read = 0;
  std::uint64_t disk_written = 0;
  std::uint64_t disk_reads = 0;
  std::uint64_t disk_writes = 0;
  std::uint64_t processes = 0;
  std::uint64_t console_dropped = 0;
  std::optional<double> mconsole_seconds;  // what its kernel's latest answer took
  std::optional<double> busiest;           // processors that its busiest process takes, where it is busy
  // As it last said of itself, where it is asked.
  std::optional<double> inside_load;
  std::optional<double> inside_memory_available;
  std::optional<double> inside_uptime;
};

struct Guest {
  std::string name;
  std::string id;
  std::string tenant;
  std::string plan;
  std::string image;
  std::string kernel;
  std::string state;
  bool ready = false;
  std::map<std::string, std::uint64_t> restarts;  // by cause: ends that nobody asked for
  std::uint64_t memory_promised = 0;
  std::uint64_t host_memory_limit = 0;
  std::uint64_t disk_limit = 0;
  std::uint64_t disk_allocated = 0;
  std::uint64_t swap_allocated = 0;
  std::uint64_t processes_limit = 0;
  Traffic in;
  Traffic out;
  std::optional<Running> running;  // none where it does not run, or nothing was heard of it yet
};

// What is promised to the guests of one tenant, and the most of it; none: there is no limit.
struct Promise {
  std::uint64_t promised = 0;
  std::optional<std::uint64_t> limit;
};

struct Tenant {
  std::string name;
  std::map<std::string, Promise> resources;  // "guests", "memory", "disk", "processors"
};

struct Resource {
  std::uint64_t has = 0;       // of the host's
  std::uint64_t capacity = 0;  // that may be promised
  std::uint64_t promised = 0;
  std::optional<std::uint64_t> used;  // by whomever
};

struct Pool {
  std::uint64_t size = 0;
  std::uint64_t used = 0;
};

// Work of the daemon's, since it began.
struct Work {
  std::uint64_t done = 0;
  std::uint64_t failed = 0;
  double seconds = 0;
};

struct Host {
  std::string version;
  std::map<std::string, Resource> resources;      // "memory", "disk", "processors"
  double busy_seconds = 0;                        // of all processors together
  std::map<std::string, double> waiting_seconds;  // "memory", "cpu", "io": that something waited for it
  std::map<std::string, Pool> pools;
  std::map<std::string, Work> actions;
  std::map<std::string, std::uint64_t> errors;  // refused or failed requests, by kind
  std::optional<bool> libvirt;                  // counts the host; none: nor shall it
  std::uint64_t notices = 0;                    // what this host can't do
};

struct Snapshot {
  double taken = 0;  // seconds since 1970
  double collection_seconds = 0;
  Host host;
  std::vector<Tenant> tenants;
  std::vector<Guest> guests;
};

}  // namespace umlfarm::metrics
