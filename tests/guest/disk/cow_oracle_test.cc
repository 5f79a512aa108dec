// Our COW files against uml-utilities': each must read what the other wrote, and both must merge alike.
#include "tests/guest/disk/disk_fixture.h"
#include "tests/guest/disk/programs.h"

namespace umlfarm::guest {
namespace {

using testing::is_ok;
using testing::run;

class CowOracle : public DiskTest {
 protected:
  // uml_moo reads bases by their absolute path; -b is for other places.
  std::string merged_by_uml_moo(const std::string& cow, const std::string& options = "") {
    const std::string out = directory_ / "theirs.img";
    const auto outcome = run("uml_moo " + options + " " + cow + " " + out);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
    return content(out);
  }

  std::string merged_by_us(const std::string& cow) {
    const std::string out = directory_ / "ours.img";
    EXPECT_THAT(merge_cow(cow, out), is_ok());
    return content(out);
  }

  void write_some_sectors(const std::string& cow) {
    for (const std::uint64_t sector : {0U, 1U, 7U, 8U, 63U, 64U, 2047U, 2048U, 3000U, 6143U, 6144U}) {
      write_sector(cow, sector, static_cast<std::uint8_t>(sector % 251 + 1));
    }
    write_sector(cow, 100, 0);  // zeros over data of the base
  }
};

TEST_F(CowOracle, HeaderIsThatOfUmlMkcowToTheByte) {
  const std::string base = make_base();
  ASSERT_THAT(create(directory_ / "ours.cow", base), is_ok());
  const auto made = run("uml_mkcow " + (directory_ / "theirs.cow") + " " + base);
  ASSERT_EQ(made.exit_code, 0) << made.output;
  EXPECT_TRUE(content(directory_ / "ours.cow") == content(directory_ / "theirs.cow"));
}

TEST_F(CowOracle, ReadsWhatUmlMkcowMade) {
  const std::string base = make_base();
  const std::string cow = directory_ / "theirs.cow";
  ASSERT_EQ(run("uml_mkcow " + cow + " " + base).exit_code, 0);
  EXPECT_THAT(verify_cow(cow, base), is_ok());
  const auto info = inspect_cow(cow);
  ASSERT_THAT(info, is_ok());
  EXPECT_EQ(info->version, 3U);
  EXPECT_EQ(info->base_path, base);
  EXPECT_EQ(info->size, kBaseSize);
  EXPECT_EQ(info->allocated_sectors, 0U);
}

TEST_F(CowOracle, MergesAsUmlMooDoes) {
  const std::string base = make_base();
  const std::string cow = directory_ / "disk.cow";
  ASSERT_THAT(create(cow, base), is_ok());
  write_some_sectors(cow);
  const std::string before = content(base);
  const std::string ours = merged_by_us(cow);
  EXPECT_TRUE(ours == merged_by_uml_moo(cow));
  EXPECT_FALSE(ours == before);
  EXPECT_EQ(content(base), before);
}

TEST_F(CowOracle, MergesRandomDisksAsUmlMooDoes) {
  for (const std::uint64_t sectors : {65U, 71U, 72U, 2048U, 4097U}) {
    const std::string base = make_base("base.img", sectors * 512);
    overwrite(base, 0, random_bytes(sectors * 256));
    const std::string cow = directory_ / "disk.cow";
    ASSERT_THAT(create(cow, base), is_ok());
    for (int i = 0; i < 40; ++i) write_sector(cow, random_() % sectors, static_cast<std::uint8_t>(random_()));
    EXPECT_TRUE(merged_by_us(cow) == merged_by_uml_moo(cow)) << sectors;
    for (const auto* name : {"disk.cow", "ours.img", "theirs.img"}) {
      ASSERT_THAT(posix::remove_file(directory_ / name), is_ok());
    }
  }
}

TEST_F(CowOracle, UmlMooFindsARebasedBase) {
  const std::string base = make_base();
  const std::string cow = directory_ / "disk.cow";
  ASSERT_THAT(create(cow, base), is_ok());
  write_some_sectors(cow);
  const std::string before = merged_by_us(cow);
  const std::string moved = directory_ / "a-much-longer-name-than-before.img";
  ASSERT_EQ(::rename(base.c_str(), moved.c_str()), 0);
  ASSERT_THAT(rebase_cow(cow, moved), is_ok());
  EXPECT_TRUE(merged_by_uml_moo(cow) == before);
}

}  // namespace
}  // namespace umlfarm::guest
