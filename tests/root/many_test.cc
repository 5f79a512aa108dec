// Twenty servers from one command.
#include <boost/json.hpp>
#include <set>

#include "tests/support/test_farm.h"

namespace umlfarm::testing {
namespace {

TEST(ManyGuests, AreAllReadyAndAllDifferent) {
  constexpr std::size_t kMany = 20;
  const TestFarm farm("[capacity]\nmemory_percent = 200\n");
  farm.ok({"image", "add", built_image("debian-12")});
  farm.ok({"create", "lab", "--count", std::to_string(kMany), "--ssh-key", farm.public_key(), "--memory",
           "128M", "--timeout", "500"});
  std::set<std::string> addresses4, addresses6, macs, machine_ids, host_keys, names;
  const boost::json::value document = farm.json({"list"});
  const boost::json::array& guests = document.at("guests").as_array();
  ASSERT_EQ(guests.size(), kMany);
  for (const boost::json::value& guest : guests) {
    const auto text = [&](const char* key) { return boost::json::value_to<std::string>(guest.at(key)); };
    EXPECT_EQ(text("state"), "ready");
    addresses4.insert(text("address4"));
    addresses6.insert(text("address6"));
    macs.insert(text("mac"));
    // What the guests say of themselves.
    machine_ids.insert(farm.in_guest(text("name"), "cat /etc/machine-id"));
    const std::string key =
        farm.in_guest(text("name"), "cut -d ' ' -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub");
    EXPECT_EQ(key, text("host_key") + "\n");
    host_keys.insert(key);
    names.insert(farm.in_guest(text("name"), "hostname"));
  }
  for (const auto* all : {&addresses4, &addresses6, &macs, &machine_ids, &host_keys, &names}) {
    EXPECT_EQ(all->size(), kMany);
  }
  // Twenty guests wrote to their disks, none to what is behind them.
  farm.ok({"image", "verify", "debian-12"});
  std::vector<std::string> remove{"delete"};
  remove.insert(remove.end(), names.begin(), names.end());
  for (std::string& name : remove) name = name.substr(0, name.find('\n'));
  farm.ok(remove);
  EXPECT_EQ(farm.leftovers(), Traces());
}

TEST(ManyGuests, AreMadeAllOrNone) {
  const TestFarm farm("[guests]\nuids = 3\n");
  const Ran ran = farm.umlfarm(
      {"create", "lab", "--count", "4", "--image", "tiny", "--plan", "tiny", "--ssh-key", farm.public_key()});
  EXPECT_EQ(ran.code, 6) << ran.err;
  EXPECT_NE(ran.err.find("uid range exhausted: 4 asked, 3 of 3 left"), std::string::npos) << ran.err;
  EXPECT_EQ(farm.leftovers(), Traces());
}

}  // namespace
}  // namespace umlfarm::testing
