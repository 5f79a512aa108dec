#include "guest/disk/swap.h"

#include "tests/guest/disk/disk_fixture.h"
#include "tests/guest/disk/programs.h"

namespace umlfarm::guest {
namespace {

using testing::is_error;
using testing::is_ok;
using testing::run;

class Swap : public DiskTest {
 protected:
  Status make(const std::string& path, ByteSize size) {
    return create_swap(path, size, 0600, ::getuid(), ::getgid());
  }
};

TEST_F(Swap, IsWhatMkswapWritesButForTheUuid) {
  const std::string ours = directory_ / "ours";
  const std::string theirs = directory_ / "theirs";
  ASSERT_THAT(make(ours, ByteSize::mib(3)), is_ok());
  const auto made =
      run("truncate -s 3M " + theirs + " && chmod 600 " + theirs + " && mkswap -p 4096 " + theirs);
  ASSERT_EQ(made.exit_code, 0) << made.output;
  std::string a = content(ours);
  std::string b = content(theirs);
  EXPECT_NE(a.substr(1036, 16), b.substr(1036, 16));
  a.replace(1036, 16, b.substr(1036, 16));
  EXPECT_TRUE(a == b);
}

TEST_F(Swap, IsSparseAndHasAUuidOfItsOwn) {
  ASSERT_THAT(make(directory_ / "a", ByteSize::gib(1)), is_ok());
  ASSERT_THAT(make(directory_ / "b", ByteSize::gib(1)), is_ok());
  struct stat info {};
  ASSERT_EQ(::stat((directory_ / "a").c_str(), &info), 0);
  EXPECT_EQ(info.st_size, off_t{1} << 30U);
  EXPECT_LE(info.st_blocks, 16);
  const auto label = run("blkid -p -s TYPE -s UUID -o value " + (directory_ / "a"));
  EXPECT_NE(label.output.find("swap"), std::string::npos) << label.output;
  EXPECT_NE(label.output, run("blkid -p -s TYPE -s UUID -o value " + (directory_ / "b")).output);
}

TEST_F(Swap, RefusesImpossibleSizesAndFilesThatExist) {
  for (const ByteSize size : {ByteSize(0), ByteSize::kib(36), ByteSize(ByteSize::mib(1).bytes() + 512),
                              ByteSize(ByteSize::gib(8192).bytes() + 4096)}) {
    EXPECT_THAT(make(directory_ / "swap", size), is_error(Kind::Invalid, "swap")) << size.str();
  }
  EXPECT_TRUE(names().empty());
  ASSERT_THAT(make(directory_ / "swap", ByteSize::mib(1)), is_ok());
  EXPECT_THAT(make(directory_ / "swap", ByteSize::mib(1)), is_error(Kind::Conflict, "exists"));
}

}  // namespace
}  // namespace umlfarm::guest
