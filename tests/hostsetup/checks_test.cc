// Each way in which a host can be wrong, and what it is called.
#include <set>

#include "hostsetup/inspection.h"
#include "hostsetup/plan.h"
#include "hostsetup/record.h"
#include "tests/hostsetup/fake_machine.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::hostsetup {
namespace {

using ::testing::HasSubstr;
using testing::is_ok;
using ::testing::IsEmpty;

constexpr const char* kYama = "/proc/sys/kernel/yama/ptrace_scope";

TEST(Checks, HoldOnAGoodHost) {
  const FakeMachine host;
  for (const Check& check : all_checks()) {
    const Finding finding = check.inspect(host.context());
    EXPECT_EQ(finding.reason, "") << check.name << ": it is " << finding.is << ", should be "
                                  << finding.should;
    EXPECT_EQ(finding.advice, "") << check.name;
    EXPECT_NE(finding.is, "") << check.name;
  }
}

TEST(Checks, HaveNamesOfTheirOwnAndReasons) {
  std::set<std::string> names;
  for (const Check& check : all_checks()) {
    EXPECT_TRUE(names.insert(check.name).second) << check.name << " is there twice";
    EXPECT_NE(check.name.find('.'), std::string::npos) << check.name;
    for (const std::string& text : {check.title, check.why, check.source}) {
      EXPECT_GT(text.size(), 8U) << check.name;
      EXPECT_FALSE(text.ends_with('.')) << check.name << ": " << text;
    }
  }
}

struct Sabotage {
  const char* path;
  const char* text;  // nullptr: removed
  const char* check;
  const char* reason;
  const char* advice;  // a part of it
  bool mends;          // by apply

  void spoil(FakeMachine& host) const {
    if (text == nullptr) {
      host.remove(path);
    } else {
      host.write(path, text);
    }
  }
};

void PrintTo(const Sabotage& sabotage, std::ostream* out) {
  *out << sabotage.check << " " << sabotage.reason;
}

class SabotagedHost : public ::testing::TestWithParam<Sabotage> {};

TEST_P(SabotagedHost, IsDiagnosed) {
  const Sabotage& row = GetParam();
  FakeMachine host;
  row.spoil(host);
  const auto answers = inspect(host.context());
  ASSERT_THAT(answers, is_ok());
  for (const Answer& answer : *answers) {
    if (answer.check->name != row.check) {
      EXPECT_FALSE(answer.fails()) << answer.check->name << " fails too: " << answer.finding.reason;
      continue;
    }
    EXPECT_EQ(answer.finding.reason, row.reason);
    EXPECT_THAT(answer.finding.advice, HasSubstr(row.advice));
    EXPECT_EQ(answer.mends(), row.mends);
  }
}

// What apply would do now.
Plan next_plan(const FakeMachine& host, const Record& record) {
  const auto answers = inspect(host.context());
  EXPECT_THAT(answers, is_ok());
  auto plan = make_plan(host.machine(), record, wanted_changes(host.machine(), record, *answers));
  EXPECT_THAT(plan, is_ok());
  return *std::move(plan);
}

TEST_P(SabotagedHost, IsMendedOnceAndForAll) {
  const Sabotage& row = GetParam();
  if (!row.mends) return;
  FakeMachine host;
  row.spoil(host);
  const auto empty = load_record(host.machine());
  ASSERT_THAT(empty, is_ok());
  const Plan first = next_plan(host, *empty);
  EXPECT_FALSE(first.steps.empty());
  EXPECT_TRUE(carry_out(host.machine(), *empty, first, [](const Step&) {}).failed.empty());
  EXPECT_EQ(host.finding(row.check).reason, "");
  const auto record = load_record(host.machine());
  ASSERT_THAT(record, is_ok());
  for (const Step& step : next_plan(host, *record).steps) ADD_FAILURE() << "once more: " << as_diff(step);
}

INSTANTIATE_TEST_SUITE_P(
    Each, SabotagedHost,
    ::testing::Values(
        Sabotage{kYama, "2\n", "kernel.yama", "too-high", "apply", true},
        Sabotage{kYama, "3\n", "kernel.yama", "locked", "restart the machine", false},
        Sabotage{"/proc/sys/vm/memfd_noexec", "2\n", "kernel.memfd", "too-high", "apply", true},
        Sabotage{"/proc/sys/kernel/dmesg_restrict", "0\n", "kernel.dmesg", "too-low", "apply", true},
        Sabotage{"/proc/sys/kernel/kptr_restrict", "0\n", "kernel.pointers", "too-low", "apply", true},
        Sabotage{"/proc/sys/kernel/unprivileged_bpf_disabled", "0\n", "kernel.bpf", "too-low", "apply", true},
        Sabotage{"/proc/sys/kernel/perf_event_paranoid", "1\n", "kernel.perf", "too-low", "apply", true},
        Sabotage{"/proc/sys/kernel/randomize_va_space", "0\n", "kernel.randomised", "too-low", "apply", true},
        Sabotage{"/proc/sys/fs/suid_dumpable", "2\n", "kernel.core-dumps", "wrong-value", "apply", true},
        Sabotage{"/proc/sys/fs/protected_symlinks", "0\n", "kernel.links", "too-low", "apply", true},
        Sabotage{"/etc/sysctl.d/99-zz.conf", "kernel.yama.ptrace_scope = 2\n", "kernel.yama",
                 "overridden-at-boot", "/etc/sysctl.d/99-zz.conf:1", false},
        Sabotage{"/sys/devices/system/cpu/vulnerabilities/mds", "Vulnerable: no microcode\n",
                 "processor.faults", "open", "microcode", false},
        Sabotage{"/proc/cmdline", "ro mitigations=off\n", "processor.command-line", "weakened",
                 "'mitigations=off' out of", false},
        Sabotage{"/sys/devices/system/cpu/smt/control", "on\n", "processor.smt", "wrong-value", "smt = true",
                 true},
        Sabotage{"/proc/sys/vm/max_map_count", "65530\n", "memory.mappings", "too-low", "apply", true},
        Sabotage{"/proc/sys/vm/overcommit_memory", "2\n", "memory.overcommit", "too-high", "apply", true},
        Sabotage{"/proc/swaps", "Filename Type\n/dev/vdb partition\n", "memory.swap", "on",
                 "'swapoff /dev/vdb'", false},
        Sabotage{"/sys/kernel/mm/ksm/run", "1\n", "memory.same-pages", "wrong-value", "apply", true},
        Sabotage{"/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n",
                 "memory.huge-pages", "wrong-value", "apply", true},
        Sabotage{"/proc/sys/kernel/pid_max", "32768\n", "processes.numbers", "too-low", "apply", true},
        Sabotage{"/proc/sys/kernel/threads-max", "9000\n", "processes.threads", "too-low", "apply", true},
        Sabotage{"/proc/sys/net/unix/max_dgram_qlen", "10\n", "processes.datagrams", "too-low", "apply",
                 true},
        Sabotage{"/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io pids\n", "cgroup.memory", "missing",
                 "controller 'memory'", false},
        Sabotage{"/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory\n", "cgroup.pids", "missing",
                 "controller 'pids'", false},
        Sabotage{"/sys/fs/cgroup/cgroup.controllers", "cpuset io memory pids\n", "cgroup.cpu", "missing",
                 "controller 'cpu'", false},
        Sabotage{"/etc/passwd", "bob:x:2000001:100::/:/bin/sh\n", "users.range", "collision",
                 "first_uid = 3000000", false},
        Sabotage{"/etc/subuid", "bob:1990000:65536\n", "users.range", "collision", "first_uid = 3000000",
                 false},
        Sabotage{"/etc/subgid", "bob:2000000:1\n", "users.range", "collision", "first_uid = 3000000", false},
        Sabotage{"/etc/group", "team:x:2059999:\n", "users.range", "collision", "first_uid = 3000000", false},
        Sabotage{"/proc/self/mountinfo", "1 1 0:1 / / rw - ext4 /dev/a rw\n", "disk.quota", "no-quota",
                 "tune2fs -O project,quota -Q prjquota /dev/a", false},
        Sabotage{"/proc/self/mountinfo", "1 1 0:1 / / rw - xfs /dev/a rw\n", "disk.quota", "no-quota",
                 "rootflags=prjquota", false},
        Sabotage{"/proc/self/mountinfo",
                 "1 1 0:1 / / rw - ext4 /dev/a rw,prjquota\n2 1 0:2 / /var rw - xfs /dev/b rw\n",
                 "disk.quota", "no-quota", "unmount it and mount it again", false},
        Sabotage{"/proc/self/mountinfo", "1 1 0:1 / / rw - btrfs /dev/a rw\n", "disk.quota", "no-quota",
                 "btrfs quota enable /", false},
        Sabotage{"/proc/self/mountinfo", "1 1 0:1 / / ro - ext4 /dev/a rw,prjquota\n", "disk.filesystem",
                 "read-only", "remount,rw /", false},
        Sabotage{"/proc/self/mountinfo", "1 1 0:1 / / rw - ext4 /dev/a rw,prjquota,nobarrier\n",
                 "disk.barriers", "off", "'mount -o remount,barrier /'", false},
        Sabotage{"/sys/class/misc/tun", nullptr, "network.tun", "missing", "module 'tun'", false},
        Sabotage{"/proc/net/route", "Iface\neth0\t0000000A\t0\t1\t0\t0\t0\t000000FF\n", "network.pools",
                 "collision", "pool4 = \"172.16.0.0/16\"", false},
        Sabotage{"/proc/net/route", "Iface\neth0\t00004D0A\t0\t1\t0\t0\t0\t0000FFFF\n", "network.pools",
                 "collision", "pool4 = \"10.78.0.0/16\"", false},
        Sabotage{"/proc/sys/net/ipv4/neigh/default/gc_thresh3", "1024\n", "network.neighbours4", "too-low",
                 "apply", true},
        Sabotage{"/proc/sys/net/ipv6/neigh/default/gc_thresh3", "1024\n", "network.neighbours6", "too-low",
                 "apply", true},
        Sabotage{"/etc/umlfarm", nullptr, "services.configuration", "missing", "apply", true},
        Sabotage{"/var/lib/umlfarm", nullptr, "services.state", "missing", "apply", true},
        Sabotage{"/run/systemd", nullptr, "services.daemon", "no-systemd", "[exceptions]", false}));

TEST(Checks, BelieveWhatAGuestShows) {
  FakeMachine host;
  host.probes("strict", "outer-seccomp this shell itself runs under a filter\n", 1);
  EXPECT_EQ(host.finding("uml.strict").reason, "outer-seccomp");
  EXPECT_EQ(host.finding("uml.strict").advice, "this shell itself runs under a filter");
  EXPECT_EQ(host.finding("uml.fast").reason, "");
  host.probes("strict", "umlfarm-probe: building a jail needs root: run it with sudo\n", 5);
  EXPECT_EQ(host.finding("uml.strict").reason, "not-tried");
  host.probes("strict", "sh: 1: exec: umlfarm-probe: not found\n", 127);
  EXPECT_EQ(host.finding("uml.strict").reason, "not-installed");
  host.probes("strict", "", 137);
  EXPECT_EQ(host.finding("uml.strict").reason, "crashed");
  host.probes("strict", "ok it runs\n", 139);
  EXPECT_EQ(host.finding("uml.strict").reason, "crashed");
  host.remove("/usr/lib/umlfarm");
  EXPECT_EQ(host.finding("uml.strict").reason, "not-installed");
}

TEST(Checks, TryAKernelThatTheFarmWasGiven) {
  FakeMachine host;
  host.remove("/usr/lib/umlfarm");
  host.write("/var/lib/umlfarm/kernels/aa/linux", "\x7f ELF 7.2.13-umlfarm-fast ");
  host.write("/var/lib/umlfarm/kernels/bb/linux", "\x7f ELF 6.12.117-umlfarm-strict ");
  const std::string kernel = host.machine().at("/var/lib/umlfarm/kernels/bb/linux");
  host.answers("umlfarm-probe --uid 2059999 " + kernel, "ok it runs\n");
  EXPECT_EQ(host.finding("uml.strict").is, "it runs");
}

TEST(Checks, TellAForbiddenModuleFromOneThatIsMissing) {
  FakeMachine host;
  host.remove("/sys/class/misc/tun");
  host.answers("modprobe -n -v tun", "insmod /lib/modules/x/tun.ko\n");
  EXPECT_EQ(host.finding("network.tun").reason, "");
  host.answers("modprobe -n -v tun", "install /bin/false\n");
  EXPECT_EQ(host.finding("network.tun").reason, "forbidden");
  host.answers("modprobe -n -v tun", "modprobe: FATAL: Module tun not found in directory /lib/modules/x\n",
               1);
  EXPECT_EQ(host.finding("network.tun").reason, "missing");
}

TEST(Checks, TellAControllerThatTheCommandLineTurnedOff) {
  FakeMachine host;
  host.write("/sys/fs/cgroup/cgroup.controllers", "cpu pids\n");
  host.write("/proc/cmdline", "ro cgroup_disable=memory\n");
  EXPECT_EQ(host.finding("cgroup.memory").reason, "disabled");
  EXPECT_THAT(host.finding("cgroup.memory").advice, HasSubstr("update-grub"));
}

TEST(Checks, FindControllersOfTheFirstVersion) {
  FakeMachine host;
  host.remove("/sys/fs/cgroup");
  host.write("/proc/cgroups", "#subsys_name\thierarchy\nmemory\t3\t1\t1\npids\t4\t1\t1\n");
  EXPECT_EQ(host.finding("cgroup.memory").reason, "not-mounted");
  host.write("/proc/self/mounts", "cgroup /sys/fs/cgroup/memory cgroup rw,nosuid,memory 0 0\n");
  EXPECT_EQ(host.finding("cgroup.memory").is, "v1");
  EXPECT_EQ(host.finding("cgroup.pids").reason, "not-mounted");
}

TEST(Checks, FindAnUplinkWithinThePool) {
  FakeMachine host;
  host.farm.network.uplink = "10.77.0.4/30";
  const Finding finding = host.finding("network.pools");
  EXPECT_EQ(finding.reason, "collision");
  EXPECT_THAT(finding.advice, HasSubstr("uplink = \"10.78.0.0/30\""));
}

TEST(Checks, TakeTheFarmsOwnRouteForNoCollision) {
  FakeMachine host;
  host.farm.network.uplink = "10.78.0.0/30";
  host.write("/proc/net/route", "Iface\numlf0123abcd\t00004E0A\t0\t1\t0\t0\t0\tFCFFFFFF\n");
  EXPECT_EQ(host.finding("network.pools").reason, "");
}

TEST(Checks, LeaveToTheProfileWhatTenantsShare) {
  FakeMachine host;
  host.write("/sys/devices/system/cpu/smt/control", "on\n");
  host.write("/proc/swaps", "Filename\n/dev/vdb partition\n");
  host.write("/sys/kernel/mm/ksm/run", "1\n");
  host.profile.smt = true;
  host.profile.swap = true;
  host.profile.same_page_merging = true;
  for (const char* check : {"processor.smt", "memory.swap", "memory.same-pages"}) {
    EXPECT_EQ(host.finding(check).reason, "") << check;
  }
}

TEST(Checks, AreContentWithMoreThanTheyAskFor) {
  FakeMachine host;
  host.write("/sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n");
  host.write("/sys/kernel/mm/ksm/run", "2\n");
  host.write("/sys/devices/system/cpu/smt/control", "forceoff\n");
  host.write("/proc/swaps", "Filename\n/dev/zram0 partition\n");
  for (const char* check : {"memory.huge-pages", "memory.same-pages", "processor.smt", "memory.swap"}) {
    EXPECT_EQ(host.finding(check).reason, "") << check;
  }
}

TEST(Checks, FindTheWordThatTurnsBarriersOff) {
  FakeMachine host;
  host.write("/proc/self/mountinfo", "1 1 0:1 / / rw - ext4 /dev/a rw,prjquota,nobarrier\n");
  host.write("/etc/fstab",
             "# /dev/a / ext4 nobarrier\n/dev/b /x ext4 nobarrier 0 0\n/dev/a / ext4 rw,barrier=0 0 1\n");
  EXPECT_THAT(host.finding("disk.barriers").advice, HasSubstr("take 'barrier=0' out of the options of / in"));
}

TEST(Checks, WantSpaceGivenBackWhereTheDiskTakesIt) {
  FakeMachine host;
  const auto reason = [&] { return host.finding("disk.discard").reason; };
  host.write("/sys/dev/block/8:1/dev", "8:1\n");
  host.write("/sys/dev/block/queue/discard_max_bytes", "0\n");
  EXPECT_EQ(reason(), "");
  host.write("/sys/dev/block/queue/discard_max_bytes", "2147450880\n");
  EXPECT_EQ(reason(), "never");
  host.answers("systemctl is-enabled fstrim.timer", "enabled\n");
  EXPECT_EQ(reason(), "");
  host.answers("systemctl is-enabled fstrim.timer", "disabled\n", 1);
  host.write("/proc/self/mountinfo", "1 1 8:1 / / rw - ext4 /dev/a rw,discard\n");
  EXPECT_EQ(reason(), "");
  host.write("/proc/self/mountinfo", "1 1 0:30 / / rw - btrfs /dev/vdc rw\n");
  host.write("/sys/class/block/vdc/queue/discard_max_bytes", "4096\n");
  EXPECT_EQ(reason(), "never");
}

TEST(Checks, AskTheQuotaOfTheRightFilesystem) {
  FakeMachine host;
  host.write("/proc/self/mountinfo", "1 1 0:1 / / rw - btrfs /dev/a rw\n");
  host.write("/sys/fs/btrfs/1/qgroups/x", "");
  host.write("/sys/fs/btrfs/1/devices/b", "");
  EXPECT_EQ(host.finding("disk.quota").reason, "no-quota") << "it is another's";
  host.write("/sys/fs/btrfs/1/devices/a", "");
  EXPECT_EQ(host.finding("disk.quota").reason, "");
}

TEST(Checks, CountUserNumbersForAllGuests) {
  FakeMachine host;
  host.farm.guests.uids = 99;
  EXPECT_EQ(host.finding("users.enough").reason, "too-low");
  EXPECT_THAT(host.finding("users.enough").advice, HasSubstr("uids = 100"));
}

TEST(Checks, NameTheServiceThatIsNotThereOrDoesNotRun) {
  FakeMachine host;
  host.answers("systemctl is-active umlfarmd.service", "failed\n", 3);
  EXPECT_EQ(host.finding("services.daemon").reason, "not-running");
  host.answers("systemctl is-enabled umlfarmd.service", "masked\n", 1);
  EXPECT_EQ(host.finding("services.daemon").reason, "masked");
  EXPECT_TRUE(host.finding("services.daemon").changes.empty());
  host.answers("systemctl is-enabled umlfarmd.service", "", 1);
  EXPECT_EQ(host.finding("services.daemon").reason, "not-installed");
  host.answers("systemctl is-active systemd-timesyncd", "inactive\n", 3);
  EXPECT_EQ(host.finding("services.time").reason, "none");
  host.answers("systemctl is-active chrony", "active\n");
  EXPECT_EQ(host.finding("services.time").reason, "");
}

TEST(Checks, WantMemoryForAGuest) {
  FakeMachine host;
  host.write("/proc/meminfo", "MemTotal: 300000 kB\n");
  EXPECT_EQ(host.finding("memory.budget").reason, "too-low");
  EXPECT_THAT(host.finding("memory.budget").advice, HasSubstr("memory_reserve"));
}

TEST(Checks, CountMemoryByLibvirtWhereItAnswers) {
  FakeMachine host;
  EXPECT_THAT(host.finding("memory.budget").is, HasSubstr("by /proc"));
  const std::string command = "umlfarm-libvirt qemu:///embed " + host.machine().at("/run/umlfarm/libvirt");
  const auto counted = [](const std::string& domains) {
    return R"({"memory":{"total":8192000000},"processors":2,"cells":[],"domains":)" + domains + "}\n";
  };
  host.answers(command, counted(R"({"count":0,"memory":0})"));
  EXPECT_THAT(host.finding("memory.budget").is, HasSubstr("by qemu:///embed"));
  EXPECT_EQ(host.finding("memory.budget").reason, "");
  host.answers(command, counted(R"({"count":1,"memory":8000000000})"));
  EXPECT_EQ(host.finding("memory.budget").reason, "too-low");
  host.answers(command, "it has no driver for that\n", 1);
  EXPECT_EQ(host.finding("memory.budget").reason, "");
}

TEST(Checks, LeaveMemoryToTheMachine) {
  FakeMachine host;
  host.farm.capacity.memory_reserve = ByteSize::gib(4);
  EXPECT_EQ(host.finding("services.slice").reason, "not-limited");
  EXPECT_THAT(*host.finding("services.slice").changes.front().wanted, HasSubstr("MemoryMax=73.78%\n"));
  host.write("/sys/fs/cgroup/umlfarm.slice/memory.current", "6100000000\n");
  EXPECT_EQ(host.finding("services.slice").reason, "too-full");
  EXPECT_TRUE(host.finding("services.slice").changes.empty());
  host.write("/sys/fs/cgroup/umlfarm.slice/memory.current", "6000000000\n");
  EXPECT_EQ(host.finding("services.slice").reason, "not-limited");
  host.farm = config::defaults();
  host.answers("systemctl is-active umlfarm.slice", "inactive\n", 3);
  EXPECT_EQ(host.finding("services.slice").reason, "not-active");
  host.remove("/run/systemd");
  EXPECT_EQ(host.finding("services.slice").reason, "");
}

TEST(Checks, SeeAProtectionThatWasTakenAway) {
  FakeMachine host;
  host.answers("systemd-analyze security --no-pager umlfarmd.service",
               "→ Overall exposure level for umlfarmd.service: 9.6 UNSAFE\n");
  EXPECT_EQ(host.finding("services.hardening").reason, "weakened");
  EXPECT_EQ(host.finding("services.hardening").is, "9.6");
}

TEST(Checks, SeeAJournalWithoutLimit) {
  FakeMachine host;
  const auto journal = [&](const std::string& last) {
    host.answers("systemd-analyze cat-config systemd/journald.conf",
                 "# /etc/systemd/journald.conf\n[Journal]\nRateLimitBurst=100\n\n# "
                 "/etc/systemd/journald.conf.d/a.conf\n" +
                     last + "\n");
    return host.finding("services.journal");
  };
  EXPECT_EQ(journal("RateLimitBurst=0").reason, "unlimited");
  EXPECT_THAT(journal("RateLimitBurst=0").advice, HasSubstr("/etc/systemd/journald.conf.d/a.conf"));
  EXPECT_EQ(journal("RateLimitIntervalSec=0s").reason, "unlimited");
  EXPECT_EQ(journal("RateLimitBurst=5000").reason, "");
  EXPECT_EQ(journal("RateLimitBurst=0\nRateLimitBurst=10").reason, "");
}

TEST(Checks, SeeAStateDirectoryThatOthersMayRead) {
  FakeMachine host;
  ASSERT_EQ(::chmod(host.machine().at("/var/lib/umlfarm").c_str(), 0755), 0);
  EXPECT_EQ(host.finding("services.state").reason, "wrong-mode");
}

TEST(Checks, SayThatMemoryIsLostWithTheMachine) {
  FakeMachine host;
  host.write("/proc/self/mountinfo", "1 1 0:1 / / rw - ext4 /dev/a rw\n2 1 0:2 / /var/lib rw - tmpfs t rw\n");
  EXPECT_EQ(host.finding("disk.filesystem").reason, "volatile");
  EXPECT_EQ(host.finding("disk.quota").reason, "no-quota");
}

TEST(Checks, SayWhenTheDiskIsTooSmall) {
  FakeMachine host;
  host.farm.capacity.disk_reserve = ByteSize::gib(1U << 30U);
  EXPECT_EQ(host.finding("disk.room").reason, "full");
}

}  // namespace
}  // namespace umlfarm::hostsetup
