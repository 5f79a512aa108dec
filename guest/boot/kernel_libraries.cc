#include "guest/boot/kernel_libraries.h"

#include <elf.h>
#include <fcntl.h>

#include <cstring>
#include <span>

#include "provisioner/base/posix.h"

namespace umlfarm::guest {
namespace {

constexpr std::uint64_t kMostSegments = 64;
constexpr const char* kLoader = "/lib64/ld-linux-x86-64.so.2";
constexpr const char* kLibraries[] = {"/lib/x86_64-linux-gnu/libc.so.6",
                                      "/lib/x86_64-linux-gnu/libgcc_s.so.1"};

template <typename Value>
Status read_value(int file, Value& value, std::uint64_t offset) {
  return posix::pread_all(file, {reinterpret_cast<std::uint8_t*>(&value), sizeof value},
                          static_cast<std::int64_t>(offset));
}

bool is_program(const Elf64_Ehdr& header) {
  return std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_ident[EI_CLASS] == ELFCLASS64 &&
         header.e_machine == EM_X86_64 && (header.e_type == ET_EXEC || header.e_type == ET_DYN) &&
         header.e_phentsize == sizeof(Elf64_Phdr) && header.e_phnum <= kMostSegments;
}

Result<bool> names_a_loader(const std::string& kernel) {
  const Error no_program(Kind::Invalid, kernel + ": not a Linux program for x86-64");
  UMLFARM_ASSIGN(const UniqueFd file, posix::open(kernel, O_RDONLY));
  Elf64_Ehdr header{};
  if (!read_value(file.get(), header, 0) || !is_program(header)) return no_program;
  for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment{};
    if (!read_value(file.get(), segment, header.e_phoff + i * sizeof segment)) return no_program;
    if (segment.p_type == PT_INTERP) return true;
  }
  return false;
}

}  // namespace

Result<std::vector<JailFile>> kernel_libraries(const std::string& kernel) {
  UMLFARM_ASSIGN(const bool dynamic, names_a_loader(kernel));
  if (!dynamic) return std::vector<JailFile>();
  std::vector<JailFile> files{{kLoader, kLoader, false, true}};
  for (const char* library : kLibraries) {
    if (posix::exists(library)) files.push_back({library, library, false, true});
  }
  return files;
}

}  // namespace umlfarm::guest
