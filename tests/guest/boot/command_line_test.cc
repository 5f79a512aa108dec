#include "guest/boot/command_line.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "tests/support/result_matchers.h"

namespace umlfarm::guest {
namespace {

using ::testing::ElementsAre;
using testing::is_error;
using testing::is_ok;

BootSpec bare() {
  return {ByteSize::mib(64), "/disks/root.cow", "/disks/base.img", "/disks/seed.tar", "", {}, "", 0, 1, {}};
}

std::string joined(const std::vector<std::string>& arguments) {
  std::string line;
  for (const std::string& argument : arguments) line += (line.empty() ? "" : " ") + argument;
  return line;
}

TEST(KernelArguments, OfADiskThatGivesNothingBack) {
  BootSpec spec = bare();
  spec.trims = false;
  const auto arguments = kernel_arguments(spec);
  ASSERT_THAT(arguments, is_ok());
  EXPECT_NE(std::find(arguments->begin(), arguments->end(), "ubd0t=/disks/root.cow,/disks/base.img"),
            arguments->end());
}

TEST(KernelArguments, OfAGuestWithNothingBeyondItsDisk) {
  const auto arguments = kernel_arguments(bare());
  ASSERT_THAT(arguments, is_ok());
  EXPECT_THAT(*arguments,
              ElementsAre("mem=65536K", "root=/dev/ubda", "rw", "ubd0=/disks/root.cow,/disks/base.img",
                          "ubd1rd=/disks/seed.tar", "con0=fd:0,fd:1", "con=null", "console=tty0",
                          "mconsole=notify:/run/notify", "uml_dir=/run", "umid=g", "noreboot",
                          "sysctl.vm.compaction_proactiveness=0"));
}

TEST(KernelArguments, OfAGuestWithEverything) {
  BootSpec spec = bare();
  spec.memory = ByteSize::gib(2);
  spec.swap = "/disks/swap.img";
  spec.extras = {"/disks/extra0", "/disks/extra1"};
  spec.mac = "02:12:34:00:00:07";
  spec.loops_per_jiffy = 42303488;
  const auto arguments = kernel_arguments(spec);
  ASSERT_THAT(arguments, is_ok());
  EXPECT_THAT(
      *arguments,
      ElementsAre("mem=2097152K", "root=/dev/ubda", "rw", "ubd0=/disks/root.cow,/disks/base.img",
                  "ubd1rd=/disks/seed.tar", "ubd2d=/disks/swap.img", "ubd3rd=/disks/extra0",
                  "ubd4rd=/disks/extra1", "vec0:transport=fd,fd=3,mac=02:12:34:00:00:07,mtu=1500,gro=1",
                  "lpj=42303488", "con0=fd:0,fd:1", "con=null", "console=tty0", "mconsole=notify:/run/notify",
                  "uml_dir=/run", "umid=g", "noreboot", "sysctl.vm.compaction_proactiveness=0"));
}

TEST(KernelArguments, OfAGuestWithManyProcessors) {
  BootSpec spec = bare();
  spec.kernel.seccomp = true;
  EXPECT_THAT(*kernel_arguments(spec), ::testing::Contains("seccomp=on"));
  EXPECT_THAT(*kernel_arguments(spec), ::testing::Not(::testing::Contains(::testing::HasSubstr("ncpus"))));
  spec.processors = 4;
  EXPECT_THAT(*kernel_arguments(spec), ::testing::Contains("ncpus=4"));
}

TEST(KernelArguments, KeepTheNumbersOfExtraDisksWithoutSwap) {
  BootSpec spec = bare();
  spec.extras = {"/disks/extra0"};
  const auto arguments = kernel_arguments(spec);
  ASSERT_THAT(arguments, is_ok());
  EXPECT_THAT(*arguments, ::testing::Contains("ubd3rd=/disks/extra0"));
}

TEST(KernelArguments, MarkEveryRawDiskAsData) {
  BootSpec spec = bare();
  spec.swap = "/disks/swap.img";
  for (int i = 0; i < 13; ++i) spec.extras.push_back("/disks/extra" + std::to_string(i));
  const auto arguments = kernel_arguments(spec);
  ASSERT_THAT(arguments, is_ok());
  std::set<std::string> numbers;
  for (const std::string& argument : *arguments) {
    if (!argument.starts_with("ubd")) continue;
    const std::string key = argument.substr(3, argument.find('=') - 3);
    const std::size_t flags = key.find_first_not_of("0123456789");
    numbers.insert(key.substr(0, flags));
    if (key == "0") continue;  // the COW
    ASSERT_NE(flags, std::string::npos) << argument;
    EXPECT_NE(key.find('d', flags), std::string::npos) << argument;
    EXPECT_EQ(key.find('r', flags) == std::string::npos, key.substr(0, flags) == "2") << argument;
  }
  EXPECT_EQ(numbers.size(), 16U);
}

TEST(KernelArguments, RefuseMoreThan13ExtraDisks) {
  BootSpec spec = bare();
  spec.extras.assign(13, "/disks/x");
  EXPECT_THAT(kernel_arguments(spec), is_ok());
  spec.extras.assign(14, "/disks/x");
  EXPECT_THAT(kernel_arguments(spec), is_error(Kind::Invalid, "13"));
}

TEST(KernelArguments, RefuseWhatWouldSplitAPath) {
  const std::vector<std::function<void(BootSpec&, const std::string&)>> places{
      [](BootSpec& spec, const std::string& path) { spec.disk = path; },
      [](BootSpec& spec, const std::string& path) { spec.base = path; },
      [](BootSpec& spec, const std::string& path) { spec.seed = path; },
      [](BootSpec& spec, const std::string& path) { spec.swap = path; },
      [](BootSpec& spec, const std::string& path) {
        spec.extras = {"/disks/extra0", path};
      },
  };
  for (const char* path :
       {"/a b", "/a\tb", "/a\nb", "/a,b", "/a\"b", " /a", "/a ", "/a,", "/a:b", "/a\xa0"}) {
    for (std::size_t place = 0; place < places.size(); ++place) {
      BootSpec spec = bare();
      places[place](spec, path);
      EXPECT_THAT(kernel_arguments(spec), is_error(Kind::Invalid, path)) << place;
    }
  }
}

TEST(KernelArguments, FillTheKernelsCommandLineAndNoMore) {
  BootSpec spec = bare();
  std::size_t longest = 0;
  while (true) {
    const auto arguments = kernel_arguments(spec);
    if (!arguments) break;
    longest = joined(*arguments).size();
    ASSERT_LE(longest, 4095U);
    spec.seed += 'x';
  }
  EXPECT_THAT(kernel_arguments(spec), is_error(Kind::Invalid, "4095"));
  EXPECT_GE(longest, 4090U);
}

}  // namespace
}  // namespace umlfarm::guest
