// Guests on the farm's bridge: each as itself alone.
#include "tests/support/test_farm.h"

namespace umlfarm::testing {
namespace {

const std::string kGateway = "10.77.0.1";

bool reaches(const TestFarm& farm, const std::string& guest, const std::string& address) {
  return farm.ssh(guest, "ping -c 1 -W 2 " + address).code == 0;
}

// A change to its own network, a question, and the change taken back; over the console's side of ssh it would
// cut itself off.
bool reaches_after(const TestFarm& farm, const std::string& guest, const std::string& change,
                   const std::string& undo) {
  farm.in_guest(guest, "(sleep 0.3; " + change + "; ping -c 1 -W 2 " + kGateway +
                           " >/dev/null 2>&1; echo $? >/root/result; " + undo + ") >/dev/null 2>&1 &");
  EXPECT_TRUE(eventually([&] { return farm.ssh(guest, "test -s /root/result").code == 0; }, 30));
  return farm.in_guest(guest, "cat /root/result; rm /root/result") == "0\n";
}

TEST(Network, ReachesTheBridgeAndNoOtherGuest) {
  const TestFarm farm;
  farm.create("lab", {"--count", "2"});
  EXPECT_TRUE(reaches(farm, "lab-1", kGateway));
  EXPECT_TRUE(reaches(farm, "lab-1", "fd75:6d6c:6661:726d::1"));
  EXPECT_FALSE(reaches(farm, "lab-1", farm.field("lab-2", "address4")));
  EXPECT_FALSE(reaches(farm, "lab-1", farm.field("lab-2", "address6")));
}

TEST(Network, ReachesOtherGuestsWhereIsolationIsOff) {
  const TestFarm farm("[network]\nisolate = false\n");
  farm.create("lab", {"--count", "2"});
  EXPECT_TRUE(reaches(farm, "lab-1", farm.field("lab-2", "address4")));
  EXPECT_TRUE(reaches(farm, "lab-1", farm.field("lab-2", "address6")));
}

// More than packets of any size that a tap does not carry.
TEST(Network, CarriesBulkFromGuestToGuestAndHost) {
  const TestFarm farm("[network]\nisolate = false\n");
  farm.create("lab", {"--count", "2"});
  const std::string sum = farm.in_guest(
      "lab-1", "head -c 4000000 /dev/urandom >/root/data; httpd -p 7000 -h /root; md5sum </root/data");
  const std::string data = "http://" + farm.field("lab-1", "address4") + ":7000/data";
  EXPECT_EQ(farm.in_guest("lab-2", "wget -q -O - " + data + " | md5sum"), sum);
  EXPECT_EQ(farm.in_guest("lab-1", "cat /root/data").size(), 4'000'000U);
}

TEST(Network, IsSilentForAGuestThatTakesAnotherIdentity) {
  const TestFarm farm;
  farm.create("alice");
  const std::string mac = farm.field("alice", "mac");
  const std::string address = farm.field("alice", "address4");
  const auto with_address = [&](const std::string& to) {
    return "ip addr add " + to + "/16 dev vec0; ip addr del " + address + "/16 dev vec0";
  };
  const std::string back =
      "ip addr flush dev vec0; ip addr add " + address + "/16 dev vec0; ip link set vec0 up";
  // The same words with its own address: the method works.
  EXPECT_TRUE(reaches_after(farm, "alice", "true", back));
  EXPECT_FALSE(reaches_after(farm, "alice", with_address("10.77.9.9"), back));
  const auto with_mac = [](const std::string& to) {
    return "ip link set vec0 down; ip link set vec0 address " + to + "; ip link set vec0 up";
  };
  EXPECT_FALSE(reaches_after(farm, "alice", with_mac("02:00:00:00:00:99"), with_mac(mac)));
  EXPECT_TRUE(reaches_after(farm, "alice", "true", "true"));
}

TEST(Network, OffersNoServiceOfTheHosts) {
  const TestFarm farm;
  farm.create("alice");
  // Something listens on the bridge's address; the control connects from the host's side.
  const std::string service = kGateway + ":7777";
  const pid_t server = start_program(
      {"nsenter", "--net=" + farm.netns(), "busybox", "httpd", "-f", "-p", service, "-h", farm / "etc"},
      farm / "server.log");
  const std::string page = "http://" + service + "/umlfarm/umlfarm.toml";
  EXPECT_TRUE(eventually([&] {
    return run_program({"nsenter", "--net=" + farm.netns(), "busybox", "wget", "-q", "-O", "-", page}).code ==
           0;
  }));
  // The same words fetch the same page where nothing is in the way.
  const std::string fetch = "timeout 3 wget -q -O - http://";
  farm.in_guest("alice", "mkdir -p /root/umlfarm; echo >/root/umlfarm/umlfarm.toml; httpd -p 7777 -h /root");
  EXPECT_EQ(farm.ssh("alice", fetch + "127.0.0.1:7777/umlfarm/umlfarm.toml").code, 0);
  EXPECT_NE(farm.ssh("alice", fetch + service + "/umlfarm/umlfarm.toml").code, 0);
  ::kill(server, SIGKILL);
  wait_for_end(server);
}

TEST(Network, LeavesTheHostsOwnAlone) {
  const auto devices = [] { return run_program({"ip", "-o", "addr"}).out; };
  const auto rules = [] { return run_program({"nft", "list", "ruleset"}).out; };
  const std::string devices_before = devices();
  const std::string rules_before = rules();
  const TestFarm farm;
  farm.create("alice");
  EXPECT_EQ(devices(), devices_before);
  EXPECT_EQ(rules(), rules_before);
}

}  // namespace
}  // namespace umlfarm::testing
