#include "quota/host_capacity.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <thread>

#include "provisioner/base/posix.h"
#include "provisioner/base/run_program.h"
#include "quota/meminfo.h"

namespace umlfarm::quota {
namespace {

Result<ByteSize> total_memory() {
  UMLFARM_ASSIGN(const std::string text, posix::read_file("/proc/meminfo"));
  const std::uint64_t kib = meminfo_kib(text, "MemTotal").value_or(0);
  if (kib == 0) return Error(Kind::Unavailable, "/proc/meminfo has no MemTotal");
  return ByteSize::kib(kib);
}

constexpr std::uint64_t kPage = 4096;

}  // namespace

std::string mappings_notice(const std::vector<Plan>& plans) {
  const auto text = posix::read_file("/proc/sys/vm/max_map_count");
  std::uint64_t most = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), most);
  return most == 0 ? "" : mappings_notice(plans, most);
}

std::string mappings_notice(const std::vector<Plan>& plans, std::uint64_t most_mappings) {
  const auto largest = std::max_element(plans.begin(), plans.end(), backs_less);
  if (largest == plans.end() || backed_memory(largest->limits).bytes() / kPage <= most_mappings) return "";
  return "vm.max_map_count is " + std::to_string(most_mappings) + ": a process of a guest of plan '" +
         largest->name + "' that maps more pages than that dies; 'sysctl -w vm.max_map_count=" +
         std::to_string(backed_memory(largest->limits).bytes() / kPage + 65'536) + "' makes room";
}

Result<HostCapacity> host_by_proc() {
  HostCapacity host;
  UMLFARM_ASSIGN(host.memory, total_memory());
  host.processors = std::max(1U, std::thread::hardware_concurrency());
  return host;
}

Result<HostCapacity> host_by_libvirt(HostCapacity by_proc, const std::string& uri,
                                     const std::string& printed) try {
  namespace json = boost::json;
  const json::value value = json::parse(printed);
  HostCapacity host = std::move(by_proc);
  // Drivers that keep no such figures print an empty object.
  const auto total = [](const json::value& figures) {
    const json::value* const found = figures.as_object().if_contains("total");
    return ByteSize(found == nullptr ? 0 : found->to_number<std::uint64_t>());
  };
  if (const ByteSize memory = total(value.at("memory")); memory.bytes() != 0) host.memory = memory;
  host.processors = std::max(1U, value.at("processors").to_number<unsigned>());
  for (const json::value& cell : value.at("cells").as_array()) host.cells.push_back(total(cell));
  host.domains = value.at("domains").at("count").to_number<unsigned>();
  host.memory_of_domains = ByteSize(value.at("domains").at("memory").to_number<std::uint64_t>());
  host.source = uri;
  return host;
} catch (const std::exception& failure) {
  return Error(Kind::Invalid, std::string("libvirt's account of the host: ") + failure.what());
}

HostCapacity HostAccount::ask_libvirt(HostCapacity by_proc) const {
  const auto without = [&](const std::string& why) {
    HostCapacity host = by_proc;
    host.notice = "the host is not counted by libvirt (" + settings_.uri + "): " + why +
                  "; install libvirt-daemon-driver-qemu, or set [capacity] libvirt in umlfarm.toml";
    return host;
  };
  const auto asked = run_program({settings_.program, settings_.uri, settings_.directory});
  if (!asked) return without(asked.error().message());
  // The daemon waits for no child, so that an exit code would say nothing: it prints when it knows.
  if (asked->output.empty()) return without("it gave no answer, and the daemon's log has its reason");
  auto host = host_by_libvirt(by_proc, settings_.uri, asked->output);
  return host ? *std::move(host) : without(host.error().message());
}

void HostAccount::refresh() {
  auto host = host_by_proc();
  if (!host) return;
  if (!settings_.uri.empty()) *host = ask_libvirt(*host);
  const std::lock_guard lock(mutex_);
  if (!host->notice.empty()) {
    // What was given to others is not free because nobody tells of it any more.
    host->domains = last_.domains;
    host->memory_of_domains = last_.memory_of_domains;
  }
  last_ = *std::move(host);
}

Result<HostCapacity> HostAccount::now() const {
  HostCapacity host;
  {
    const std::lock_guard lock(mutex_);
    host = last_;
  }
  if (host.processors == 0) {
    UMLFARM_ASSIGN(host, host_by_proc());
  }
  struct statvfs disk {};
  if (::statvfs(settings_.state.c_str(), &disk) < 0) {
    return system_error("size of the filesystem at " + settings_.state);
  }
  host.disk = ByteSize(disk.f_frsize * disk.f_blocks);
  return host;
}

}  // namespace umlfarm::quota
