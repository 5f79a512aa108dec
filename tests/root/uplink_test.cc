// The farm's way out, on a machine and in a world that are namespaces of this test's own.
#include <signal.h>
#include <unistd.h>

#include <fstream>

#include "tests/support/test_farm.h"

namespace umlfarm::testing {
namespace {

const std::string kConfig = "[network]\nuplink = '10.78.0.0/30'\n";
const std::string kWorld = "192.0.2.1";
const std::string kMachine = "192.0.2.2";
const std::string kSecrets = "169.254.169.254";
const std::string kRouted = kConfig + "routed = true\n";
const std::string kWorld6 = "2001:db8::1";
const std::string kMachine6 = "2001:db8::2";

// A machine with one neighbour. The neighbour knows no address but the machine's own, until it is told the
// way.
class Neighbourhood {
 public:
  Neighbourhood() {
    run({"ip", "netns", "add", machine_});
    run({"ip", "netns", "add", world_});
    run({"ip", "-n", machine_, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns",
         world_});
    for (const auto& [space, addresses] :
         {std::pair{machine_,
                    std::vector<std::string>{kMachine + "/24", "169.254.1.1/16", kMachine6 + "/64"}},
          std::pair{world_, std::vector<std::string>{kWorld + "/24", kSecrets + "/16", kWorld6 + "/64"}}}) {
      for (const std::string& address : addresses)
        run({"ip", "-n", space, "addr", "add", address, "dev", "eth0", "nodad"});
      run({"ip", "-n", space, "link", "set", "eth0", "up"});
      run({"ip", "-n", space, "link", "set", "lo", "up"});
    }
    forward("1");
    std::ofstream(page_ / "index.html") << "hello\n";
    serve(world_);
    serve(machine_);
  }
  Neighbourhood(const Neighbourhood&) = delete;
  Neighbourhood& operator=(const Neighbourhood&) = delete;
  ~Neighbourhood() {
    for (const pid_t server : servers_) {
      ::kill(server, SIGKILL);
      wait_for_end(server);
    }
    run({"ip", "netns", "del", machine_});
    run({"ip", "netns", "del", world_});
  }

  std::string machine() const { return "/run/netns/" + machine_; }
  std::string state() const {
    return run({"ip", "-n", machine_, "-4", "-o", "addr"}) + run({"ip", "-n", machine_, "-4", "route"}) +
           run({"ip", "-n", machine_, "-6", "route"}) +
           run({"ip", "netns", "exec", machine_, "nft", "list", "ruleset"});
  }
  void forward(const std::string& value) const {
    run({"ip", "netns", "exec", machine_, "sysctl", "-q", "-w", "net.ipv4.ip_forward=" + value});
  }
  void forward6() const {
    run({"ip", "netns", "exec", machine_, "sysctl", "-q", "-w", "net.ipv6.conf.all.forwarding=1"});
  }
  void tell_the_way() const {
    run({"ip", "-n", world_, "route", "add", "10.77.0.0/16", "via", kMachine});
    run({"ip", "-n", world_, "route", "add", "fd75:6d6c:6661:726d::/64", "via", kMachine6});
  }
  // A command on the world's side.
  Ran in_world(std::vector<std::string> command) const {
    command.insert(command.begin(), {"ip", "netns", "exec", world_});
    return run_program(command);
  }
  bool world_reaches(const std::string& address) const { return fetches(world_, address); }
  bool machine_reaches(const std::string& address) const { return fetches(machine_, address); }

 private:
  static std::string run(const std::vector<std::string>& command) {
    const Ran ran = run_program(command);
    EXPECT_EQ(ran.code, 0) << command[0] << " " << command[1] << ": " << ran.err;
    return ran.out;
  }
  static bool fetches(const std::string& space, const std::string& address) {
    return run_program({"ip", "netns", "exec", space, "timeout", "3", "busybox", "wget", "-q", "-O", "-",
                        "http://" + address + ":7777/"})
               .code == 0;
  }
  void serve(const std::string& space) {
    servers_.push_back(start_program(
        {"ip", "netns", "exec", space, "busybox", "httpd", "-f", "-p", "[::]:7777", "-h", page_.path()},
        page_ / "log"));
    EXPECT_TRUE(eventually([&] { return fetches(space, "127.0.0.1"); }));
  }

  TemporaryDirectory page_;
  std::string machine_ = "ufm" + std::to_string(::getpid());
  std::string world_ = "ufw" + std::to_string(::getpid());
  std::vector<pid_t> servers_;
};

bool guest_reaches(const TestFarm& farm, const std::string& guest, const std::string& address) {
  return farm.ssh(guest, "timeout 3 wget -q -O - http://" + address + ":7777/").code == 0;
}

TEST(Uplink, TakesGuestsToTheWorldAndToNothingOfTheMachine) {
  const Neighbourhood around;
  const std::string before = around.state();
  {
    const TestFarm farm(kConfig, true, around.machine());
    farm.create("alice");
    // By the machine's address: it is the only one that the world can answer to.
    EXPECT_TRUE(guest_reaches(farm, "alice", kWorld));
    // Each refused address is one that somebody else reaches.
    EXPECT_TRUE(around.world_reaches(kMachine));
    EXPECT_FALSE(guest_reaches(farm, "alice", kMachine));
    EXPECT_TRUE(around.machine_reaches("10.78.0.1"));
    EXPECT_FALSE(guest_reaches(farm, "alice", "10.78.0.1"));
    EXPECT_TRUE(around.machine_reaches(kSecrets));
    EXPECT_FALSE(guest_reaches(farm, "alice", kSecrets));
    EXPECT_NE(around.state(), before);
  }
  EXPECT_EQ(around.state(), before);
}

TEST(Uplink, IsNoWayFromGuestToGuest) {
  const Neighbourhood around;
  const TestFarm farm(kConfig, true, around.machine());
  farm.create("lab", {"--count", "2"});
  const std::string other = farm.field("lab-2", "address4");
  EXPECT_TRUE(guest_reaches(farm, "lab-1", kWorld));
  farm.in_guest("lab-1", "ip route add " + other + "/32 via 10.77.0.1");
  EXPECT_NE(farm.ssh("lab-1", "ping -c 1 -W 2 " + other).code, 0);
}

TEST(Uplink, SurvivesTheDaemonAndGoesWhenItIsTakenOut) {
  const Neighbourhood around;
  const std::string before = around.state();
  TestFarm farm(kConfig, true, around.machine());
  farm.create("alice");
  farm.kill_daemon();
  farm.start_daemon();
  EXPECT_TRUE(guest_reaches(farm, "alice", kWorld));
  farm.end_daemon();
  farm.configure("");
  farm.start_daemon();
  EXPECT_FALSE(guest_reaches(farm, "alice", kWorld));
  EXPECT_EQ(farm.in_guest("alice", "hostname"), "alice\n");
  EXPECT_EQ(around.state(), before);
}

// As a stranger's ssh in the world sees it: by the guest's own address.
Ran ssh_from_the_world(const Neighbourhood& around, const TestFarm& farm, const std::string& address,
                       const std::string& command) {
  return around.in_world({"ssh", "-i", farm / "key", "-o", "StrictHostKeyChecking=no", "-o",
                          "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=10", "root@" + address,
                          command});
}

TEST(Uplink, LetsTheWorldReachGuestsWhereItIsRouted) {
  const Neighbourhood around;
  around.forward6();
  around.tell_the_way();
  const std::string before = around.state();
  {
    const TestFarm farm(kRouted, true, around.machine());
    farm.create("lab", {"--count", "2"});
    const std::string address4 = farm.field("lab-1", "address4");
    const std::string address6 = farm.field("lab-1", "address6");
    for (const std::string& address : {address4, address6}) {
      const Ran reached = ssh_from_the_world(around, farm, address, "hostname; echo $SSH_CLIENT");
      EXPECT_EQ(reached.code, 0) << address << ": " << reached.err;
      // Nobody's address was changed on the way.
      EXPECT_EQ(reached.out.find("lab-1\n" + (address == address4 ? kWorld : kWorld6)), 0U) << reached.out;
    }
    EXPECT_TRUE(guest_reaches(farm, "lab-1", kWorld));
    EXPECT_TRUE(guest_reaches(farm, "lab-1", "[" + kWorld6 + "]"));
    for (const std::string& refused : {kMachine, kSecrets, std::string("10.78.0.1"), "[" + kMachine6 + "]"})
      EXPECT_FALSE(guest_reaches(farm, "lab-1", refused)) << refused;
    // Not even over the machine's router do guests reach each other.
    const std::string other = farm.field("lab-2", "address4");
    farm.in_guest("lab-1", "ip route add " + other + "/32 via 10.77.0.1");
    EXPECT_NE(farm.ssh("lab-1", "ping -c 1 -W 2 " + other).code, 0);
  }
  EXPECT_EQ(around.state(), before);
}

// What comes from an address that is no guest's stays inside, whoever sends it: here the farm's namespace
// itself.
TEST(Uplink, LetsNoFalseAddressOut) {
  const Neighbourhood around;
  around.forward6();
  around.tell_the_way();
  const TestFarm farm(kRouted, true, around.machine());
  const auto in_farm = [&](std::vector<std::string> command) {
    command.insert(command.begin(), {"nsenter", "--net=" + farm.netns()});
    return run_program(command);
  };
  const struct {
    const char* address;
    const char* family;
    const std::string& to;
    bool passes;
  } rows[] = {{"10.77.0.1", "ip", kWorld, true},
              {"10.99.0.1", "ip", kWorld, false},
              {"fd75:6d6c:6661:726d::1", "ip6", kWorld6, true},
              {"fd99::1", "ip6", kWorld6, false}};
  EXPECT_EQ(
      around
          .in_world(
              {"nft", "add table inet seen; add chain inet seen in { type filter hook input priority 0; }"})
          .code,
      0);
  for (const auto& row : rows) {
    const std::string from = std::string(row.family) + " saddr " + row.address;
    EXPECT_EQ(around.in_world({"nft", "add rule inet seen in " + from + " counter"}).code, 0);
    in_farm({"ip", "addr", "add",
             std::string(row.address) + (row.family == std::string("ip") ? "/32" : "/128"), "dev", "lo"});
    in_farm({"busybox", "ping", "-c", "2", "-W", "1", "-I", row.address, row.to});
    const std::string seen = around.in_world({"nft", "list", "chain", "inet", "seen", "in"}).out;
    const std::size_t at = seen.find(from);
    ASSERT_NE(at, std::string::npos) << seen;
    EXPECT_EQ(seen.find("packets 0 ", at) == std::string::npos, row.passes) << from << "\n" << seen;
    EXPECT_EQ(around.in_world({"nft", "flush", "chain", "inet", "seen", "in"}).code, 0);
  }
}

TEST(Uplink, AsksNobodyForAnAddressThatIsNoGuests) {
  const Neighbourhood around;
  around.forward6();
  around.tell_the_way();
  const TestFarm farm(kRouted, true, around.machine());
  farm.create("alice");
  const auto neighbours = [&] {
    return run_program({"nsenter", "--net=" + farm.netns(), "ip", "neigh", "show", "dev", "umlbr0"}).out;
  };
  const std::string before = neighbours();
  EXPECT_EQ(around.in_world({"busybox", "ping", "-c", "1", "-W", "5", farm.field("alice", "address4")}).code,
            0);
  EXPECT_NE(around.in_world({"busybox", "ping", "-c", "1", "-W", "1", "10.77.200.1"}).code, 0);
  EXPECT_NE(around.in_world({"busybox", "ping", "-c", "1", "-W", "1", "fd75:6d6c:6661:726d::7777"}).code, 0);
  EXPECT_EQ(neighbours(), before);
}

TEST(Uplink, LeavesNoWayFromGuestToGuestBehind) {
  const Neighbourhood around;
  around.forward6();
  TestFarm farm(kRouted, true, around.machine());
  farm.create("lab", {"--count", "2"});
  const std::string other = farm.field("lab-2", "address6");
  farm.in_guest("lab-1", "ip -6 route add " + other + "/128 via fd75:6d6c:6661:726d::1");
  EXPECT_NE(farm.ssh("lab-1", "ping -c 1 -W 2 " + other).code, 0);
  farm.end_daemon();
  farm.configure("");
  farm.start_daemon();
  EXPECT_NE(farm.ssh("lab-1", "ping -c 1 -W 2 " + other).code, 0);
}

TEST(Uplink, MayBeRoutedAndTranslatedInTurn) {
  const Neighbourhood around;
  around.forward6();
  around.tell_the_way();
  TestFarm farm(kConfig, true, around.machine());
  farm.create("alice");
  const std::string address = farm.field("alice", "address4");
  EXPECT_NE(around.in_world({"busybox", "ping", "-c", "1", "-W", "1", address}).code, 0);
  farm.end_daemon();
  farm.configure(kRouted);
  farm.start_daemon();

  EXPECT_EQ(around.in_world({"busybox", "ping", "-c", "1", "-W", "5", address}).code, 0);
  farm.end_daemon();
  farm.configure(kConfig);
  farm.start_daemon();
  EXPECT_NE(around.in_world({"busybox", "ping", "-c", "1", "-W", "1", address}).code, 0);
  EXPECT_TRUE(guest_reaches(farm, "alice", kWorld));
}

TEST(Uplink, IsRefusedWhereTheMachineDoesNotForward) {
  const Neighbourhood around;
  TestFarm farm("", false, around.machine());
  farm.end_daemon();
  const std::string before = around.state();
  farm.configure(kRouted);
  const Ran without6 = farm.run_daemon();
  EXPECT_EQ(without6.code, 8);
  EXPECT_NE(without6.err.find("sysctl -w net.ipv6.conf.all.forwarding=1"), std::string::npos) << without6.err;
  farm.configure("[network]\nrouted = true\n");
  const Ran alone = farm.run_daemon();
  EXPECT_EQ(alone.code, 4);
  EXPECT_NE(alone.err.find("set uplink too"), std::string::npos) << alone.err;
  around.forward("0");
  farm.configure(kConfig);
  const Ran refused = farm.run_daemon();
  EXPECT_EQ(refused.code, 8);
  EXPECT_NE(refused.err.find("sysctl -w net.ipv4.ip_forward=1"), std::string::npos) << refused.err;
  farm.configure("[network]\nuplink = '10.78.0.1/30'\n");
  const Ran malformed = farm.run_daemon();
  EXPECT_EQ(malformed.code, 4);
  EXPECT_NE(malformed.err.find("10.78.0.1/30"), std::string::npos) << malformed.err;
  farm.configure("[network]\nuplink = '10.77.8.0/30'\n");
  const Ran overlapping = farm.run_daemon();
  EXPECT_EQ(overlapping.code, 4);
  EXPECT_NE(overlapping.err.find("pool4"), std::string::npos) << overlapping.err;
  EXPECT_EQ(around.state(), before);
}

}  // namespace
}  // namespace umlfarm::testing
