#include "hostsetup/profile.h"

#include "tests/hostsetup/fake_machine.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::hostsetup {
namespace {

using testing::is_error;
using testing::is_ok;

const std::string kProfiles = UMLFARM_PROFILES;

TEST(Profile, IsReadForEachKindOfHost) {
  for (const char* name : {"vps", "shell", "capacity"}) {
    const auto profile = load_profile(kProfiles, "/none", name);
    ASSERT_THAT(profile, is_ok()) << name;
    EXPECT_EQ(profile->name, name);
    EXPECT_NE(profile->summary, "");
  }
  EXPECT_FALSE(load_profile(kProfiles, "/none", "vps")->smt);
  EXPECT_TRUE(load_profile(kProfiles, "/none", "shell")->smt);
}

TEST(Profile, IsVpsWhereNoneIsNamed) { EXPECT_EQ(load_profile(kProfiles, "/none", "")->name, "vps"); }

TEST(Profile, IsChangedByTheHostsOwnFile) {
  FakeMachine host;
  host.write(kHostFile, "profile = \"shell\"\nguests = 7\n[exceptions]\n\"memory.swap\" = \"encrypted\"\n");
  const std::string file = host.machine().at(kHostFile);
  const auto profile = load_profile(kProfiles, file, "");
  ASSERT_THAT(profile, is_ok());
  EXPECT_EQ(profile->name, "shell");
  EXPECT_EQ(profile->guests, 7U);
  EXPECT_TRUE(profile->smt) << "as shell says";
  EXPECT_EQ(profile->exceptions.at("memory.swap"), "encrypted");
  EXPECT_EQ(load_profile(kProfiles, file, "capacity")->name, "capacity") << "what is named counts more";
}

TEST(Profile, IsRefusedByNameWhereThereIsNone) {
  EXPECT_THAT(load_profile(kProfiles, "/none", "moon"), is_error(Kind::NotFound, "capacity, shell, vps"));
  EXPECT_THAT(load_profile(kProfiles, "/none", "../profiles/vps"),
              is_error(Kind::NotFound, "there is no profile"));
}

TEST(Profile, NamesEveryFaultWithItsLine) {
  const struct {
    const char* text;
    const char* fault;
  } rows[] = {
      {"guests = 0", "x:1: guests = 0: must be 1 to 60000"},
      {"\nsmt = 1", "x:2: smt: must be true or false"},
      {"huge_pages = \"some\"", "x:1: huge_pages = \"some\": must be one of always, madvise, never"},
      {"guest = 4", "x:1: unknown key 'guest'"},
      {"[exceptions]\n\"memory.swap\" = true", "x:2: memory.swap: must say why"},
      {"[exceptions]\n\"memory.swap\" = \"\"", "x:2: memory.swap: must say why"},
      {"guests = ", "x:1"},
  };
  for (const auto& row : rows)
    EXPECT_THAT(parse_profile(row.text, "x"), is_error(Kind::Invalid, row.fault)) << row.text;
  EXPECT_THAT(parse_profile("guests = 0\nsmt = 1", "x"), is_error(Kind::Invalid, "x:2"));
}

}  // namespace
}  // namespace umlfarm::hostsetup
