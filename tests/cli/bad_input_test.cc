// Whatever is wrong is named, with the rule and the way out, and nothing changes.
#include <boost/json.hpp>
#include <fstream>

#include "tests/support/test_farm.h"

namespace umlfarm::testing {
namespace {

struct Case {
  std::vector<std::string> arguments;
  int code;
  const char* says;
};

void expect_refused(const TestFarm& farm, const std::vector<Case>& cases) {
  const boost::json::value before = farm.json({"list"});
  for (const Case& wrong : cases) {
    std::string words;
    for (const std::string& argument : wrong.arguments) words += " " + argument;
    const Ran ran = farm.umlfarm(wrong.arguments);
    EXPECT_EQ(ran.code, wrong.code) << words << "\n" << ran.err;
    EXPECT_NE(ran.err.find(wrong.says), std::string::npos) << words << "\n" << ran.err;
    EXPECT_EQ(ran.out, "") << words;
  }
  EXPECT_EQ(farm.json({"list"}), before);
}

TEST(BadInput, OfANameIsRefused) {
  const TestFarm farm;
  farm.create("alice");
  const std::string key = farm.public_key();
  expect_refused(farm, {
                           {{"create", "", "--ssh-key", key}, 4, "guest name ''"},
                           {{"create", "a/b", "--ssh-key", key}, 4, "guest name 'a/b'"},
                           {{"create", "..", "--ssh-key", key}, 4, "guest name '..'"},
                           {{"create", "a.b", "--ssh-key", key}, 4, "guest name 'a.b'"},
                           {{"create", "Alice", "--ssh-key", key}, 4, "guest name 'Alice'"},
                           {{"create", std::string(64, 'a'), "--ssh-key", key}, 4, "guest name"},
                           {{"create", "alice", "--image", "tiny", "--ssh-key", key}, 5, "'alice'"},
                           {{"show", "bob"}, 3, "no guest 'bob'"},
                           {{"start", "bob"}, 3, "no guest 'bob'"},
                           {{"delete", "bob"}, 3, "no guest 'bob'"},
                           {{"ssh", "bob"}, 3, "no guest 'bob'"},
                           {{"console", "bob"}, 3, "no guest 'bob'"},
                           {{"logs", "bob"}, 3, "no guest 'bob'"},
                       });
}

TEST(BadInput, OfSizesAndChoicesIsRefused) {
  const TestFarm farm;
  const std::string key = farm.public_key();
  const auto create = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"create", "alice", "--image", "tiny", "--ssh-key", key});
    return more;
  };
  expect_refused(farm, {
                           {create({"--plan", "huge"}), 3, "no plan 'huge'"},
                           {{"create", "alice", "--image", "gone", "--ssh-key", key}, 3, "no image 'gone'"},
                           {create({"--kernel", "gone"}), 3, "no kernel 'gone'"},
                           {create({"--memory", "0"}), 4, "memory"},
                           {create({"--memory", "-1"}), 4, "-1"},
                           {create({"--memory", "12Q"}), 4, "12Q"},
                           {create({"--memory", "1M"}), 4, "memory"},
                           {create({"--memory", "999999999999999999999G"}), 4, "memory"},
                           {create({"--memory", "60G"}), 6, "memory"},
                           {create({"--count", "0"}), 4, "count"},
                           {create({"--count", "-3"}), 4, "count"},
                           {create({"--count", "5000"}), 4, "count"},
                           {create({"--count", "many"}), 2, "many"},
                           {create({"--disk", "/etc/hostname"}), 2, "FILE:ro"},
                           {create({"--disk", "/nowhere:ro"}), 3, "/nowhere"},
                           {create({"--disk", "/etc:ro"}), 4, "not a regular file"},
                           {create({"--disk", "/etc/shadow:ro"}), 7, "may not read it"},
                           {create({"--root-password-hash", "plain"}), 4, "crypt(3)"},
                           {create({"--timeout", "soon"}), 2, "soon"},
                           {create({"--colour", "red"}), 2, "colour"},
                           {create({"second"}), 2, "create"},
                       });
}

TEST(BadInput, OfAKeyIsRefused) {
  const TestFarm farm;
  const auto create = [&](const std::string& key) {
    return std::vector<std::string>{"create", "alice", "--image", "tiny", "--ssh-key", key};
  };
  const std::string malformed = farm / "malformed";
  std::ofstream(malformed) << "ssh-ed25519 not-a-key alice\n";
  const std::string empty = farm / "empty";
  std::ofstream(empty) << "";
  expect_refused(farm, {
                           {create("/nowhere.pub"), 3, "/nowhere.pub"},
                           {create("/etc"), 4, "/etc"},
                           {create(farm / "key"), 4, "is a private key"},
                           {create(malformed), 4, "malformed: SSH key: its base64 text is broken"},
                           {create(empty), 4, "empty: SSH key: it is empty"},
                       });
}

TEST(BadInput, OfAVerbGetsASuggestion) {
  const TestFarm farm("", false);
  expect_refused(farm, {
                           {{"crate", "alice"}, 2, "did you mean 'create'?"},
                           {{"image", "lst"}, 2, "did you mean 'image list'?"},
                           {{"frobnicate"}, 2, "no verb 'frobnicate'"},
                           {{"list", "--loud"}, 2, "loud"},
                       });
}

TEST(BadInput, OfAConfigurationStopsTheDaemonWithEveryFault) {
  const TestFarm farm("", false);
  const std::string other = farm / "other";
  ASSERT_TRUE(posix::make_directories(other + "/etc/umlfarm", 0755));
  std::ofstream(other + "/etc/umlfarm/umlfarm.toml") << "colour = 1\n[guests]\nparallel = 0\n";
  const Ran ran =
      run_program({std::string(UMLFARM_BUILD_DIRECTORY) + "/provisioner/daemon/umlfarmd", "--root", other});
  EXPECT_EQ(ran.code, 4);
  EXPECT_NE(ran.err.find("umlfarm.toml:1: unknown key 'colour'"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("umlfarm.toml:3: parallel = 0: must be 1 to 256"), std::string::npos) << ran.err;
  EXPECT_FALSE(posix::exists(other + "/var"));
}

TEST(BadInput, OfANewerStateStopsTheDaemonAndStays) {
  TestFarm farm("", false);
  farm.end_daemon();
  const std::string database = farm.state("state.db");
  // The format's number lies at byte 60 of an SQLite file, big-endian.
  const auto write_format = [&](const std::string& bytes) {
    std::fstream(database, std::ios::in | std::ios::out | std::ios::binary).seekp(60).write(bytes.data(), 4);
  };
  const std::string format = posix::read_file(database)->substr(60, 4);
  write_format(std::string("\0\0\x27\x0f", 4));
  const std::string before = *posix::read_file(database);
  const Ran ran = run_program(
      {std::string(UMLFARM_BUILD_DIRECTORY) + "/provisioner/daemon/umlfarmd", "--root", farm.root()});
  EXPECT_EQ(ran.code, 4);
  EXPECT_NE(ran.err.find("has format 9999"), std::string::npos) << ran.err;
  EXPECT_EQ(*posix::read_file(database), before);
  write_format(format);
  farm.start_daemon();
}

}  // namespace
}  // namespace umlfarm::testing
