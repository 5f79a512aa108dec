#include "guest/boot/command_line.h"

#include <algorithm>
#include <charconv>
#include <numeric>

#include "guest/jail/jail.h"
#include "provisioner/base/printable.h"

namespace umlfarm::guest {
namespace {

constexpr std::size_t kMostBytes = 4095;

Status check_path(const std::string& path) {
  // UML takes ':' for ',' between a disk's files; the kernel splits at what it counts as space, 0xa0 too.
  const bool fits = std::all_of(path.begin(), path.end(), [](char c) {
    return is_printable(c) && std::string_view(" ,:\"").find(c) == std::string_view::npos;
  });
  if (fits) return {};
  return Error(Kind::Invalid, "disk path '" + path +
                                  "': the kernel's command line carries ASCII without spaces, commas, colons "
                                  "and quotes");
}

Status check(const BootSpec& spec) {
  if (spec.extras.size() > kMostExtraDisks) {
    return Error(Kind::Invalid,
                 std::to_string(spec.extras.size()) + " extra disks: a guest takes at most 13");
  }
  for (const std::string& path : {spec.disk, spec.base, spec.seed, spec.swap}) UMLFARM_TRY(check_path(path));
  for (const std::string& path : spec.extras) UMLFARM_TRY(check_path(path));
  return {};
}

}  // namespace

Result<std::vector<std::string>> kernel_arguments(const BootSpec& spec) {
  UMLFARM_TRY(check(spec));
  std::vector<std::string> arguments{
      "mem=" + std::to_string(spec.memory.bytes() >> 10U) + "K",
      "root=/dev/ubda",
      "rw",
      std::string(spec.trims ? "ubd0=" : "ubd0t=") + spec.disk + "," + spec.base,
      // d: the file is data, whatever its first sector looks like.
      "ubd1rd=" + spec.seed,
  };
  if (!spec.swap.empty()) arguments.push_back("ubd2d=" + spec.swap);
  for (std::size_t i = 0; i < spec.extras.size(); ++i) {
    arguments.push_back("ubd" + std::to_string(i + 3) + "rd=" + spec.extras[i]);
  }
  if (!spec.mac.empty()) {
    // gro: buffers of 64 KiB, so that the host need not cut what it sends.
    arguments.push_back("vec0:transport=fd,fd=" + std::to_string(kTapDescriptor) + ",mac=" + spec.mac +
                        ",mtu=1500,gro=1");
  }
  if (spec.loops_per_jiffy != 0) arguments.push_back("lpj=" + std::to_string(spec.loops_per_jiffy));
  if (spec.kernel.seccomp) arguments.emplace_back("seccomp=on");
  if (spec.processors > 1) arguments.push_back("ncpus=" + std::to_string(spec.processors));
  for (const char* fixed :
       {"con0=fd:0,fd:1", "con=null", "console=tty0", "mconsole=notify:/run/notify", "uml_dir=/run", "umid=g",
        "noreboot",
        // To compact memory ahead of need, for huge pages, would wake an idle guest twice a second.
        "sysctl.vm.compaction_proactiveness=0"}) {
    arguments.emplace_back(fixed);
  }
  const std::size_t bytes =
      std::accumulate(arguments.begin(), arguments.end(), std::size_t{0},
                      [](std::size_t sum, const std::string& a) { return sum + a.size() + 1; });
  if (bytes > kMostBytes) {
    return Error(Kind::Invalid, "the kernel's command line has " + std::to_string(bytes) +
                                    " bytes of 4095: give fewer disks or shorter paths");
  }
  return arguments;
}

std::uint64_t find_loops_per_jiffy(const std::string& log) {
  constexpr std::string_view kMark = "BogoMIPS (lpj=";
  const std::size_t at = log.find(kMark);
  std::uint64_t loops = 0;
  if (at != std::string::npos)
    std::from_chars(log.data() + at + kMark.size(), log.data() + log.size(), loops);
  return loops;
}

}  // namespace umlfarm::guest
