#include "hostsetup/check.h"

#include <charconv>

#include "hostsetup/boot_settings.h"
#include "quota/meminfo.h"

namespace umlfarm::hostsetup {

std::uint64_t number_of(const std::string& text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

ByteSize of_meminfo(const Machine& machine, const std::string& label) {
  return ByteSize::kib(quota::meminfo_kib(machine.text("/proc/meminfo").value_or(""), label).value_or(0));
}

bool satisfies(const Need& need, const std::string& is) {
  switch (need.rule) {
    case Rule::AtLeast:
      return number_of(is) >= number_of(need.value);
    case Rule::AtMost:
      return number_of(is) <= number_of(need.value);
    default:
      return is == need.value || is == value_to_put(need);
  }
}

std::string in_words(const Need& need) {
  const char* const words = need.rule == Rule::AtLeast  ? "at least "
                            : need.rule == Rule::AtMost ? "at most "
                                                        : "";
  return words + need.value;
}

Finding inspect_setting(const Context& context, const Need& need) {
  const auto is = context.machine.setting(need.setting);
  if (!is) return holds("not in this kernel", in_words(need));
  Finding finding = holds(*is, in_words(need));
  finding.needs.push_back(need);
  const auto at_boot = value_at_boot(context.machine, need.setting, true);
  if (at_boot && !satisfies(need, at_boot->value)) {
    finding.by_hand = at_boot->behind_ours;
    finding.reason = at_boot->behind_ours ? "overridden-at-boot" : "wrong-at-boot";
    finding.advice =
        at_boot->where + " sets it to " + at_boot->value + " each time the machine starts: " +
        (at_boot->behind_ours ? "take that line out, then run 'umlfarm-hostsetup apply'" : kApplyMends);
  } else if (satisfies(need, *is) && need.kept && !at_boot) {
    finding.reason = "not-kept";
    finding.advice = std::string("nothing makes it so when the machine starts: ") + kApplyMends;
  } else if (!satisfies(need, *is)) {
    finding.reason = need.rule == Rule::AtLeast  ? "too-low"
                     : need.rule == Rule::AtMost ? "too-high"
                                                 : "wrong-value";
    finding.advice = kApplyMends;
  }
  return finding;
}

Check setting_check(Check check, std::function<Need(const Context&)> need) {
  check.inspect = [need = std::move(need)](const Context& context) {
    return inspect_setting(context, need(context));
  };
  return check;
}

Check setting_check(Check check, const Need& need) {
  return setting_check(std::move(check), [need](const Context&) { return need; });
}

const std::vector<Check>& all_checks() {
  static const std::vector<Check> all = [] {
    std::vector<Check> checks;
    for (auto* topic :
         {uml_checks, kernel_checks, processor_checks, memory_checks, process_checks, cgroup_checks,
          user_checks, disk_checks, network_checks, uplink_checks, service_checks}) {
      for (Check& check : topic()) checks.push_back(std::move(check));
    }
    return checks;
  }();
  return all;
}

}  // namespace umlfarm::hostsetup
