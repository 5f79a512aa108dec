// Memory of guests: how much there is, and what the host may do with it.
#include <algorithm>
#include <sstream>

#include "hostsetup/check.h"
#include "quota/host_capacity.h"

namespace umlfarm::hostsetup {
namespace {

constexpr const char* kSamePages = "/sys/kernel/mm/ksm/run";
constexpr const char* kHugePages = "/sys/kernel/mm/transparent_hugepage/enabled";
// The daemon's own, where it has run: nothing is made for a look.
constexpr const char* kLibvirtDirectory = "/run/umlfarm/libvirt";
constexpr std::uint64_t kMemoryPage = 4096;
// Of a process beside the guest's memory: its program, its libraries, its stacks.
constexpr std::uint64_t kOtherMappings = 65'536;

const quota::Plan& largest_plan(const config::Config& farm) {
  return *std::max_element(farm.plans.begin(), farm.plans.end(), quota::backs_less);
}

Need mappings(const Context& context) {
  const std::uint64_t pages = quota::backed_memory(largest_plan(context.farm).limits).bytes() / kMemoryPage;
  return {"/proc/sys/vm/max_map_count", Rule::AtLeast, std::to_string(pages + kOtherMappings)};
}

// As the daemon counts it: by libvirt, where that answers.
quota::HostCapacity host_capacity(const Context& context) {
  quota::HostCapacity host;
  host.memory = of_meminfo(context.machine, "MemTotal");
  const std::string& uri = context.farm.capacity.libvirt;
  if (uri.empty()) return host;
  const auto asked = context.machine.ask({"umlfarm-libvirt", uri, context.machine.at(kLibvirtDirectory)});
  if (!asked || asked->exit_code != 0) return host;
  auto counted = quota::host_by_libvirt(host, uri, asked->output);
  return counted ? *std::move(counted) : host;
}

Finding inspect_budget(const Context& context) {
  const quota::HostCapacity host = host_capacity(context);
  const ByteSize reserve = context.farm.capacity.memory_reserve + host.memory_of_domains;
  const auto smallest =
      std::min_element(context.farm.plans.begin(), context.farm.plans.end(), quota::backs_less);
  const ByteSize least = reserve + quota::backed_memory(smallest->limits);
  const std::string is = std::to_string(host.memory.bytes() >> 20U) + " MiB by " + host.source;
  const std::string should = "at least " + std::to_string(least.bytes() >> 20U) + " MiB";
  if (host.memory >= least) return holds(is, should);
  return {is, should, "too-low",
          "no guest of the smallest plan (" + smallest->name +
              ") fits beside the reserve: lower memory_reserve in [capacity] of /etc/umlfarm/umlfarm.toml, "
              "or take a "
              "machine with more memory"};
}

// The first device that memory is written to; compressed memory is none.
std::string swap_device(const Machine& machine) {
  std::istringstream lines(machine.text("/proc/swaps").value_or(""));
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    if (!line.starts_with("/dev/zram")) return line.substr(0, line.find_first_of(" \t"));
  }
  return {};
}

Finding inspect_swap(const Context& context) {
  const std::string device = swap_device(context.machine);
  if (context.profile.swap) return holds(device.empty() ? "none" : device, "as it is");
  if (device.empty()) return holds("none", "none");
  return {device, "none", "on",
          "run 'swapoff " + device +
              "' and take its line out of /etc/fstab; or, with a swap that is encrypted with a key of each "
              "start, "
              "say so: [exceptions] \"memory.swap\" = \"encrypted\" in " +
              kHostFile};
}

Finding inspect_same_pages(const Context& context) {
  const std::string is = context.machine.setting(kSamePages).value_or("not in this kernel");
  if (context.profile.same_page_merging) return holds(is, "as it is");
  // 2 is 0 that has also taken apart what was merged before.
  return inspect_setting(context, {kSamePages, Rule::Exactly, "0", "2"});
}

Finding inspect_huge_pages(const Context& context) {
  const std::string is = context.machine.setting(kHugePages).value_or("not in this kernel");
  if (is == "never") return holds(is, context.profile.huge_pages);
  return inspect_setting(context, {kHugePages, Rule::Exactly, context.profile.huge_pages});
}

}  // namespace

std::vector<Check> memory_checks() {
  return {
      {"memory.budget", Severity::Must, "there is memory for a guest",
       "a guest's memory is taken from the host's as it is touched, and all of it is promised; counted by "
       "libvirt, less what its own machines have",
       "umlfarm.toml(5), [capacity]", inspect_budget},
      setting_check(
          {"memory.mappings",
           Severity::Must,
           "a process may have as many mappings as the largest plan has pages",
           "each page that a process in a guest maps by itself is a mapping of a host process; one too many "
           "and it dies",
           "seen: 80,000 pages at the default of 65,530 kill it; proc_sys_vm(5)",
           {}},
          mappings),
      setting_check(
          {"memory.overcommit",
           Severity::Must,
           "memory is not counted when it is mapped",
           "a guest's kernel maps all of its memory at once, and its processes map it again: at 2 the host "
           "refuses that long before memory is short",
           "Documentation/mm/overcommit-accounting.rst",
           {}},
          Need{"/proc/sys/vm/overcommit_memory", Rule::AtMost, "1"}),
      {"memory.swap", Severity::Should, "guests' memory is not written to the host's disks",
       "keys and passwords of tenants would lie there after their guests have gone", "the profile (swap)",
       inspect_swap},
      {"memory.same-pages", Severity::Should, "equal pages of guests are not merged",
       "the time that a write to a merged page takes tells what other guests have in memory",
       "Documentation/admin-guide/mm/ksm.rst", inspect_same_pages},
      {"memory.huge-pages", Severity::Should, "huge pages only where a program asks for them",
       "with always, a process that touches one page of 4 KiB is given 2 MiB, and the accounts of small "
       "guests are wrong "
       "by as much",
       "Documentation/admin-guide/mm/transhuge.rst; the profile (huge_pages)", inspect_huge_pages},
  };
}

}  // namespace umlfarm::hostsetup
