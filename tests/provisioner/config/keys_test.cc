#include "tests/provisioner/config/keys.h"

#include <gtest/gtest.h>

#include "provisioner/base/atomic_file.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::config {
namespace {

using testing::is_error;
using testing::is_ok;

TEST(ConfigKeys, EachChangesItsOwnValueAndNoOther) {
  const Config before = defaults();
  for (const Key& key : keys()) {
    const auto after = parse(key.document(key.value), "f");
    ASSERT_THAT(after, is_ok()) << key.name;
    for (const Key& other : keys()) {
      const std::string expected = &other == &key ? key.shown : other.read(before);
      EXPECT_EQ(other.read(*after), expected) << other.name << " where " << key.name << " is set";
    }
    EXPECT_NE(key.read(before), key.shown) << key.name << " is tested with its default";
    EXPECT_EQ(after->plans.size(), before.plans.size());
  }
}

TEST(ConfigKeys, AllTogetherAreRead) {
  std::string document;
  std::string section;
  for (const Key& key : keys()) {
    if (key.section != section) document += "[" + (section = key.section) + "]\n";
    document += std::string(key.name) + " = " + key.value + "\n";
  }
  const auto config = parse(document, "f");
  ASSERT_THAT(config, is_ok()) << document;
  for (const Key& key : keys()) EXPECT_EQ(key.read(*config), key.shown) << key.name;
}

TEST(ConfigKeys, RefuseAnotherTypeOnTheirLine) {
  for (const Key& key : keys()) {
    for (const char* wrong : {"1979-05-27", "{}", "1.5"}) {
      const auto refused = parse(key.document(wrong), "f");
      EXPECT_THAT(refused, is_error(Kind::Invalid, "f:2: " + std::string(key.name) + ": must be"))
          << key.name << " = " << wrong;
    }
  }
}

TEST(ConfigKeys, RefuseListsThatHoldAnotherType) {
  const struct {
    const char* document;
    const char* fault;
  } rows[] = {{"admins = [1000,\n 'alice']", "f:2: admins"},    {"admins = [-1]", "f:1: admins"},
              {"admins = [4294967295]", "f:1: admins"},         {"admins = [true]", "f:1: admins"},
              {"[network]\ndns = ['10.0.0.1', 8]", "f:2: dns"}, {"[network]\ndns = [[]]", "f:2: dns"}};
  for (const auto& row : rows) EXPECT_THAT(parse(row.document, "f"), is_error(Kind::Invalid, row.fault));
}

TEST(ConfigKeys, KeepWithinTheirRange) {
  const struct {
    const char* section;
    const char* name;
    std::int64_t least;
    std::int64_t most;
  } rows[] = {{"guests", "first_uid", 1000, 4'000'000'000},
              {"guests", "uids", 1, 1'000'000},
              {"guests", "parallel", 1, 256},
              {"guests", "ready_seconds", 1, 86'400},
              {"guests", "stop_seconds", 0, 86'400},
              {"guests", "restarts", 0, 1000},
              {"guests", "balance_seconds", 0, 3600},
              {"guests", "reclaim_pressure", 0, 100},
              {"capacity", "memory_percent", 1, 10'000},
              {"capacity", "disk_percent", 1, 100'000},
              {"capacity", "processors_percent", 1, 1'000'000}};
  for (const auto& row : rows) {
    const Key key{row.section, row.name, "", "", nullptr};
    for (const std::int64_t good : {row.least, row.most})
      EXPECT_THAT(parse(key.document(std::to_string(good)), "f"), is_ok()) << row.name << " = " << good;
    for (const std::int64_t bad : {row.least - 1, row.most + 1, INT64_MIN, INT64_MAX}) {
      EXPECT_THAT(parse(key.document(std::to_string(bad)), "f"),
                  is_error(Kind::Invalid, "f:2: " + std::string(row.name) + " = " + std::to_string(bad)));
    }
  }
}

TEST(ConfigKeys, RefuseAmountsThatAreNone) {
  for (const char* bad : {"'many'", "'-1G'", "''", "'1.5G'", "512"}) {
    const auto refused = parse("[capacity]\nmemory_reserve = " + std::string(bad), "f");
    EXPECT_THAT(refused, is_error(Kind::Invalid, "f:2: memory_reserve")) << bad;
  }
}

TEST(ConfigLoad, GivesTheDefaultsWhereTheFileIsMissing) {
  const testing::TemporaryDirectory directory;
  const auto config = load(directory / "umlfarm.toml");
  ASSERT_THAT(config, is_ok());
  const Config expected = defaults();
  for (const Key& key : keys()) EXPECT_EQ(key.read(*config), key.read(expected)) << key.name;
  EXPECT_EQ(config->plans.size(), expected.plans.size());
}

TEST(ConfigLoad, NamesTheFileInItsFaults) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory / "umlfarm.toml";
  ASSERT_THAT(write_file_atomically(path, "[guests]\n\nuids = 0\n", 0644), is_ok());
  EXPECT_THAT(load(path), is_error(Kind::Invalid, path + ":3: uids"));
  ASSERT_THAT(write_file_atomically(path, "[guests]\nuids = 9\n", 0644), is_ok());
  const auto config = load(path);
  ASSERT_THAT(config, is_ok());
  EXPECT_EQ(config->guests.uids, 9U);
}

TEST(ConfigLoad, RefusesWhatIsNoFile) {
  const testing::TemporaryDirectory directory;
  EXPECT_THAT(load(directory.path()), is_error(Kind::Invalid, directory.path()));
}

}  // namespace
}  // namespace umlfarm::config
