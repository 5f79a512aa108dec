#include "guest/boot/kernel_libraries.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <functional>

#include "provisioner/base/atomic_file.h"
#include "provisioner/base/posix.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::guest {
namespace {

using testing::is_error;
using testing::is_ok;

// A program of one segment.
struct Program {
  Elf64_Ehdr header{};
  Elf64_Phdr segment{};

  Program() {
    std::string(ELFMAG).copy(reinterpret_cast<char*>(header.e_ident), SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_type = ET_EXEC;
    header.e_machine = EM_X86_64;
    header.e_phoff = sizeof header;
    header.e_phentsize = sizeof segment;
    header.e_phnum = 1;
    segment.p_type = PT_LOAD;
  }
  std::string bytes() const {
    return std::string(reinterpret_cast<const char*>(&header), sizeof header) +
           std::string(reinterpret_cast<const char*>(&segment), sizeof segment);
  }
};

class KernelLibraries : public ::testing::Test {
 protected:
  Result<std::vector<JailFile>> of(const std::string& bytes) {
    EXPECT_THAT(write_file_atomically(directory_ / "linux", bytes, 0700), is_ok());
    return kernel_libraries(directory_ / "linux");
  }

  testing::TemporaryDirectory directory_;
};

TEST_F(KernelLibraries, AreNoneForAStaticKernel) {
  const auto files = of(Program().bytes());
  ASSERT_THAT(files, is_ok());
  EXPECT_TRUE(files->empty());
}

TEST_F(KernelLibraries, OfADynamicKernelAreTheLoaderAndItsLibrariesToReadAndRun) {
  Program program;
  program.header.e_type = ET_DYN;
  program.segment.p_type = PT_INTERP;
  const auto files = of(program.bytes());
  ASSERT_THAT(files, is_ok());
  ASSERT_FALSE(files->empty());
  EXPECT_NE(files->front().inside.find("/ld-linux"), std::string::npos);
  bool libc = false;
  for (const JailFile& file : *files) {
    EXPECT_EQ(file.host, file.inside);
    EXPECT_TRUE(file.executable) << file.host;
    EXPECT_FALSE(file.writable) << file.host;
    EXPECT_TRUE(posix::exists(file.host)) << file.host;
    libc |= file.inside.ends_with("/libc.so.6");
  }
  EXPECT_TRUE(libc);
}

TEST_F(KernelLibraries, RefuseWhatIsNoProgramForThisMachine) {
  const std::vector<std::function<void(Program&)>> flaws{
      [](Program& program) { program.header.e_ident[0] = 'x'; },
      [](Program& program) { program.header.e_ident[EI_CLASS] = ELFCLASS32; },
      [](Program& program) { program.header.e_machine = EM_AARCH64; },
      [](Program& program) { program.header.e_type = ET_REL; },
      [](Program& program) { program.header.e_type = ET_CORE; },
      [](Program& program) { program.header.e_phentsize = 8; },
      [](Program& program) { program.header.e_phnum = 0xffff; },
      [](Program& program) { program.header.e_phnum = 2; },  // the second lies beyond the end
      [](Program& program) { program.header.e_phoff = 1'000'000; },
      [](Program& program) { program.header.e_phoff = ~std::uint64_t{0}; },
  };
  for (std::size_t flaw = 0; flaw < flaws.size(); ++flaw) {
    Program program;
    flaws[flaw](program);
    EXPECT_THAT(of(program.bytes()), is_error(Kind::Invalid, "x86-64")) << flaw;
  }
}

TEST_F(KernelLibraries, RefuseEveryShorterFile) {
  const std::string whole = Program().bytes();
  for (std::size_t length = 0; length < whole.size(); length += 5) {
    EXPECT_THAT(of(whole.substr(0, length)), is_error(Kind::Invalid, "linux")) << length;
  }
  EXPECT_THAT(of("#!/bin/sh\necho no kernel\n"), is_error(Kind::Invalid, "linux"));
  EXPECT_THAT(kernel_libraries(directory_ / "none"), is_error(Kind::NotFound, "none"));
}

}  // namespace
}  // namespace umlfarm::guest
