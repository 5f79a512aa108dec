#include "provisioner/daemon/diagnosis.h"

#include <algorithm>
#include <tuple>

namespace umlfarm::daemon {
namespace {

constexpr std::uint64_t kDiskFullPercent = 90;
constexpr std::uint64_t kMemoryFullPercent = 95;
constexpr std::uint64_t kPoolFullPercent = 90;
constexpr std::size_t kMostNames = 5;

std::string named(const std::vector<std::string>& guests) {
  std::string text = std::to_string(guests.size()) + (guests.size() == 1 ? " guest (" : " guests (");
  for (std::size_t i = 0; i < std::min(guests.size(), kMostNames); ++i)
    text += (i == 0 ? "" : ", ") + guests[i];
  return text + (guests.size() > kMostNames ? ", ...)" : ")");
}

std::uint64_t percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0
             ? 0
             : static_cast<std::uint64_t>(static_cast<double>(part) * 100 / static_cast<double>(whole));
}

void look_at_host(const Vitals& vitals, std::vector<Problem>& problems) {
  const std::uint64_t disk = percent(vitals.load.disk_used.bytes(), vitals.host.disk.bytes());
  if (!vitals.waiting.empty()) {
    problems.push_back(
        {named(vitals.waiting) + " wait for room on the host's disk, which is " + std::to_string(disk) +
             " % full",
         "make room, or grow that filesystem: they go on by themselves, and nothing of theirs is lost"});
  } else if (disk >= kDiskFullPercent) {
    problems.push_back({"the disk that guests are on is " + std::to_string(disk) + " % full",
                        "make room, or grow that filesystem: when it is full, guests that write wait"});
  }
  const std::uint64_t memory = percent(vitals.load.memory_used.bytes(), vitals.host.memory.bytes());
  if (memory >= kMemoryFullPercent) {
    problems.push_back({"the host's memory is " + std::to_string(memory) + " % used",
                        "'umlfarm top' shows who has it; 'umlfarm set NAME --memory SIZE' takes some back"});
  }
}

void look_at_guests(const Vitals& vitals, std::vector<Problem>& problems) {
  const auto in = [&](const char* state) {
    const auto found = vitals.guests.find(state);
    return found == vitals.guests.end() ? std::vector<std::string>() : found->second;
  };
  if (const auto failed = in("failed"); !failed.empty()) {
    problems.push_back(
        {named(failed) + " failed and are no longer started",
         "'umlfarm show " + failed[0] + "' says why; 'umlfarm start " + failed[0] + "' tries again"});
  }
  if (const auto ailing = in("unhealthy"); !ailing.empty()) {
    problems.push_back({named(ailing) + " do not answer", "'umlfarm logs " + ailing[0] +
                                                              "' shows its console; 'umlfarm restart " +
                                                              ailing[0] + "' as a last resort"});
  }
}

void look_at_pools(const Vitals& vitals, std::vector<Problem>& problems) {
  const std::uint64_t guests = vitals.promised[quota::Resource::Guests];
  for (const auto& [what, size, remedy] :
       {std::tuple("addresses", vitals.addresses, "a larger pool4 in [network] of umlfarm.toml"),
        std::tuple("users", vitals.users, "more uids in [guests] of umlfarm.toml")}) {
    if (percent(guests, size) < kPoolFullPercent) continue;
    problems.push_back(
        {std::to_string(percent(guests, size)) + " % of the " + what + " for guests are in use", remedy});
  }
}

}  // namespace

std::vector<Problem> diagnose(const Vitals& vitals) {
  std::vector<Problem> problems;
  look_at_host(vitals, problems);
  look_at_guests(vitals, problems);
  look_at_pools(vitals, problems);
  return problems;
}

}  // namespace umlfarm::daemon
