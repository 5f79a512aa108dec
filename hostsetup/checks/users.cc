// The numbers that guests run under.
#include <boost/algorithm/string/classification.hpp>
#include <boost/algorithm/string/split.hpp>
#include <set>

#include "hostsetup/check.h"

namespace umlfarm::hostsetup {
namespace {

struct Range {
  std::uint64_t first = 0;
  std::uint64_t count = 1;
  std::string of;  // whose, for people
  std::uint64_t end() const { return first + count; }
};

// Lines of `fields` parts: where the number stands, and where how many there are (nowhere: one).
void collect(const Machine& machine, const std::string& path, std::size_t number, std::size_t count,
             std::vector<Range>& to) {
  std::vector<std::string> lines;
  const std::string text = machine.text(path).value_or("");
  boost::split(lines, text, boost::is_any_of("\n"));
  for (const std::string& line : lines) {
    std::vector<std::string> fields;
    boost::split(fields, line, boost::is_any_of(":"));
    if (fields.size() <= number) continue;
    const bool many = count != 0 && fields.size() > count;
    to.push_back({number_of(fields[number]), many ? number_of(fields[count]) : 1, fields[0] + " in " + path});
  }
}

std::vector<Range> taken(const Machine& machine) {
  std::vector<Range> ranges;
  collect(machine, "/etc/passwd", 2, 0, ranges);
  collect(machine, "/etc/group", 2, 0, ranges);
  collect(machine, "/etc/subuid", 1, 2, ranges);
  collect(machine, "/etc/subgid", 1, 2, ranges);
  return ranges;
}

const Range* in_the_way(const std::vector<Range>& ranges, std::uint64_t first, std::uint64_t count) {
  for (const Range& range : ranges) {
    if (range.first < first + count && first < range.end()) return &range;
  }
  return nullptr;
}

// The next multiple of a million behind all that is in the way.
std::uint64_t free_range(const std::vector<Range>& ranges, std::uint64_t count) {
  constexpr std::uint64_t kStep = 1'000'000;
  std::uint64_t first = 2 * kStep;
  while (const Range* const range = in_the_way(ranges, first, count))
    first = (range->end() / kStep + 1) * kStep;
  return first;
}

Finding inspect_range(const Context& context) {
  const std::uint64_t first = context.farm.guests.first_uid;
  const std::uint64_t count = context.farm.guests.uids;
  const std::string is = std::to_string(first) + " to " + std::to_string(first + count - 1);
  const std::vector<Range> ranges = taken(context.machine);
  const Range* const range = in_the_way(ranges, first, count);
  if (range == nullptr) return holds(is, "nobody else's");
  return {is + ", of which some are " + range->of, "nobody else's", "collision",
          "set first_uid = " + std::to_string(free_range(ranges, count)) +
              " in [guests] of /etc/umlfarm/umlfarm.toml before there are guests"};
}

Finding inspect_enough(const Context& context) {
  const unsigned is = context.farm.guests.uids;
  const unsigned should = context.profile.guests;
  if (is >= should) return holds(std::to_string(is), "at least " + std::to_string(should));
  return {std::to_string(is), "at least " + std::to_string(should), "too-low",
          "set uids = " + std::to_string(should) + " in [guests] of /etc/umlfarm/umlfarm.toml"};
}

}  // namespace

std::vector<Check> user_checks() {
  return {
      {"users.range", Severity::Must, "guests' user numbers are nobody else's",
       "who shares a guest's number may signal its processes, write to its disk and use up its limits; so "
       "may a "
       "container of whoever has that range in /etc/subuid",
       "subuid(5); umlfarm.toml(5), first_uid. Only what is in files is looked at: of users in a directory "
       "such as LDAP their administrator knows",
       inspect_range},
      {"users.enough", Severity::Must, "there is a user number for each guest",
       "each guest runs under a number of its own", "umlfarm.toml(5), uids; the profile (guests)",
       inspect_enough},
  };
}

}  // namespace umlfarm::hostsetup
