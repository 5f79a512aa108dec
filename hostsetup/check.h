// One thing that a host must be, why, and how a machine is asked whether it is.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "hostsetup/machine.h"
#include "hostsetup/place.h"
#include "hostsetup/profile.h"
#include "provisioner/config/config.h"

namespace umlfarm::hostsetup {

struct Context {
  const Machine& machine;
  const Profile& profile;
  const config::Config& farm;
};

enum class Severity {
  Must,   // without it guests don't run, or what umlfarm promises does not hold
  Should  // without it they run worse, or one line of defence is missing
};

enum class Rule { Exactly, AtLeast, AtMost };

// A setting of the kernel that is to have a value now, and after each start of the machine.
struct Need {
  std::string setting;  // path below /proc/sys or /sys
  Rule rule = Rule::Exactly;
  std::string value;     // a whole number but for Exactly
  std::string put = {};  // what is put there where it is not so, and is as good; empty: the value
  // Also where it is so already: who has made it so may come later than we at the next start, or never.
  bool kept = false;
};
// Without them processes in guests don't run: Yama at 2 or more keeps them from being traced, and memory that
// may not be executed from running.
inline const Need kYamaNeed{"/proc/sys/kernel/yama/ptrace_scope", Rule::AtMost, "1", {}};
inline const Need kMemfdNeed{"/proc/sys/vm/memfd_noexec", Rule::AtMost, "1", {}};
bool satisfies(const Need& need, const std::string& is);
inline const std::string& value_to_put(const Need& need) { return need.put.empty() ? need.value : need.put; }
// "at least 262144"
std::string in_words(const Need& need);

struct Finding {
  std::string is;
  std::string should;
  std::string reason = {};  // what is wrong, as one word for programs: "too-low"; empty where nothing is
  std::string advice = {};  // the way out, for people
  std::vector<Need> needs = {};
  std::vector<Change> changes = {};  // what mends it; empty where only a person can
  bool by_hand = false;  // though there are needs, which are ours, a person has to do something first
};
inline Finding holds(std::string is, std::string should = {}) { return {std::move(is), std::move(should)}; }

// Words that advice ends with where the tool itself can mend it.
inline constexpr const char* kApplyMends = "'umlfarm-hostsetup apply' mends it";

struct Check {
  std::string name;  // "topic.thing"
  Severity severity = Severity::Should;
  std::string title;   // what is to be, in a line
  std::string why;     // as an administrator would believe it
  std::string source;  // where it can be read or seen
  std::function<Finding(const Context&)> inspect;
};

// Whether a setting is as needed, and stays so when the machine starts. One that is missing holds: a kernel
// without a feature has not its dangers either.
Finding inspect_setting(const Context& context, const Need& need);
// A check of no more than that.
Check setting_check(Check check, std::function<Need(const Context&)> need);
Check setting_check(Check check, const Need& need);

// A line of /proc/meminfo; 0 where it has no such.
ByteSize of_meminfo(const Machine& machine, const std::string& label);

std::vector<Check> cgroup_checks();
std::vector<Check> disk_checks();
std::vector<Check> kernel_checks();
std::vector<Check> memory_checks();
std::vector<Check> network_checks();
std::vector<Check> process_checks();
std::vector<Check> processor_checks();
std::vector<Check> service_checks();
std::vector<Check> uml_checks();
std::vector<Check> uplink_checks();
std::vector<Check> user_checks();
// All of them, in the order in which a person would read them.
const std::vector<Check>& all_checks();

// The number at the beginning of a text; 0 where there is none.
std::uint64_t number_of(const std::string& text);

}  // namespace umlfarm::hostsetup
