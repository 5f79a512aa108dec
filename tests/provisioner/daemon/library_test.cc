#include "provisioner/daemon/library.h"

#include <elf.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <functional>

#include "provisioner/base/atomic_file.h"
#include "provisioner/base/ids.h"
#include "provisioner/base/posix.h"
#include "provisioner/daemon/sparse_digest.h"
#include "tests/provisioner/daemon/records.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::daemon {
namespace {

using testing::is_error;
using testing::is_ok;

constexpr Catalog kBoth[] = {Catalog::Images, Catalog::Kernels};

// The least that counts as a program for this machine.
std::string kernel_program() {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_phentsize = sizeof(Elf64_Phdr);
  return {reinterpret_cast<const char*>(&header), sizeof header};
}

class Library : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const std::string& home : {paths_.images(), paths_.kernels(), image_, kernel_})
      ASSERT_THAT(posix::make_directories(home, 0711), is_ok());
    write(image_ + "/root.img", std::string(3U << 20U, 'i') + "tail");
    write(kernel_ + "/linux", kernel_program());
    write(image_ + "/manifest.json",
          R"({"name": "mine", "release": "12.1", "digest": ")" + digest(Catalog::Images) + "\"}");
    write(kernel_ + "/manifest.json",
          R"({"flavour": "strict", "version": "6.12.1", "sha256": ")" + digest(Catalog::Kernels) + "\"}");
  }

  static void write(const std::string& path, const std::string& content) {
    ASSERT_THAT(write_file_atomically(path, content, 0644), is_ok());
  }
  std::string digest(Catalog which) const {
    if (which == Catalog::Kernels) return sha256(kernel_program());
    const auto file = posix::open(image_ + "/root.img", O_RDONLY);
    return file ? digest_sparse(file->get(), -1).value_or(std::string()) : "";
  }
  const std::string& source(Catalog which) const { return which == Catalog::Images ? image_ : kernel_; }
  std::string home(Catalog which) const {
    return which == Catalog::Images ? paths_.images() : paths_.kernels();
  }
  std::string file(Catalog which, const std::string& digest) const {
    return which == Catalog::Images ? paths_.image(digest) : paths_.kernel(digest);
  }
  std::vector<std::string> held(Catalog which) const {
    return posix::list_directory(home(which)).value_or(std::vector<std::string>());
  }
  Result<CatalogEntry> take_in(Catalog which, const std::string& from, const std::string& name) const {
    UMLFARM_ASSIGN(const Staged staged, stage(which, paths_, from, name, ::geteuid()));
    UMLFARM_TRY(place(which, paths_, staged));
    return staged.entry();
  }
  Result<CatalogEntry> take(Catalog which, const std::string& name = "") const {
    return take_in(which, source(which), name);
  }

  testing::TemporaryDirectory directory_;
  Paths paths_{directory_.path()};
  std::string image_ = directory_ / "image";
  std::string kernel_ = directory_ / "kernel";
};

TEST_F(Library, TakesInWhatItsManifestDescribes) {
  for (const Catalog which : kBoth) {
    const auto entry = take(which);
    ASSERT_THAT(entry, is_ok());
    EXPECT_EQ(entry->digest, digest(which));
    EXPECT_EQ(entry->name, which == Catalog::Images ? "mine" : "strict");
    EXPECT_EQ(entry->version, which == Catalog::Images ? "12.1" : "6.12.1");
    const std::string kept = file(which, entry->digest);
    EXPECT_EQ(entry->size, static_cast<std::uint64_t>(posix::stat(kept)->st_size));
    EXPECT_EQ(posix::stat(kept)->st_mode & 0777U, which == Catalog::Images ? 0444U : 0755U);
    EXPECT_THAT(held(which), ::testing::ElementsAre(entry->digest));
    EXPECT_THAT(verify(which, paths_, entry->digest), is_ok());
  }
}

TEST_F(Library, CallsItAsAsked) {
  for (const Catalog which : kBoth) EXPECT_EQ(take(which, "other")->name, "other");
}

TEST_F(Library, TakesInAKernelThatIsAProgramAlone) {
  const auto entry = take_in(Catalog::Kernels, kernel_ + "/linux", "own");
  ASSERT_THAT(entry, is_ok());
  EXPECT_EQ(entry->digest, sha256(kernel_program()));
  EXPECT_NE(entry->version, "");
  EXPECT_THAT(take_in(Catalog::Kernels, kernel_ + "/linux", ""), is_error(Kind::Invalid, "kernel name"));
}

TEST_F(Library, KeepsItsOwnCopy) {
  for (const Catalog which : kBoth) {
    const auto entry = take(which);
    ASSERT_THAT(entry, is_ok());
    ASSERT_THAT(posix::remove_tree(source(which)), is_ok());
    EXPECT_THAT(verify(which, paths_, entry->digest), is_ok());
  }
}

TEST_F(Library, DropsWhatIsNotGivenItsPlace) {
  for (const Catalog which : kBoth) {
    {
      const auto staged = stage(which, paths_, source(which), "", ::geteuid());
      ASSERT_THAT(staged, is_ok());
      EXPECT_EQ(held(which).size(), 1U);
      const std::string& digest = staged->entry().digest;
      EXPECT_THAT(verify(which, paths_, digest), is_error(Kind::NotFound, digest));
    }
    EXPECT_THAT(held(which), ::testing::IsEmpty());
  }
}

TEST_F(Library, ReadsNothingThatWhoAsksMayNotRead) {
  // None but the one who runs the test may enter its directory, and without root none may act for another.
  const uid_t stranger = ::geteuid() + 12'345;
  for (const Catalog which : kBoth) {
    EXPECT_THAT(stage(which, paths_, source(which), "x", stranger), is_error(Kind::Denied, ""));
    EXPECT_THAT(held(which), ::testing::IsEmpty());
  }
}

TEST_F(Library, ChangesNothingWhenTheSameIsTakenInAgain) {
  for (const Catalog which : kBoth) {
    const auto first = take(which);
    ASSERT_THAT(first, is_ok());
    const auto before = posix::stat(file(which, first->digest));
    const auto second = take(which, "again");
    ASSERT_THAT(second, is_ok());
    EXPECT_EQ(second->digest, first->digest);
    EXPECT_EQ(posix::stat(file(which, first->digest))->st_ino, before->st_ino);
    EXPECT_THAT(held(which), ::testing::ElementsAre(first->digest));
  }
}

TEST_F(Library, RefusesWhatItCannotBeSureOfAndLeavesNothing) {
  const std::string missing = directory_ / "missing";
  const struct {
    const char* what;
    Catalog which;
    std::function<void()> spoil;
    std::string from;
    std::string name;
    Kind kind;
    const char* says;
  } rows[] = {
      {"nothing", Catalog::Images, [] {}, missing, "", Kind::NotFound, "missing"},
      {"nothing", Catalog::Kernels, [] {}, missing, "k", Kind::NotFound, "missing"},
      {"a device", Catalog::Kernels, [] {}, "/dev/null", "k", Kind::Invalid, "regular"},
      {"a pipe", Catalog::Kernels, [&] { ASSERT_EQ(::mkfifo((directory_ / "pipe").c_str(), 0644), 0); },
       directory_ / "pipe", "k", Kind::Invalid, "regular"},
      {"an image that is a file", Catalog::Images, [] {}, image_ + "/root.img", "i", Kind::Invalid,
       "directory"},
      {"a bad name", Catalog::Images, [] {}, image_, "../x", Kind::Invalid, "../x"},
      {"another image's manifest", Catalog::Images, [&] { write(image_ + "/root.img", "changed"); }, image_,
       "", Kind::Invalid, "manifest"},
      {"another kernel's manifest", Catalog::Kernels, [&] { write(kernel_ + "/linux", "changed"); }, kernel_,
       "", Kind::Invalid, "manifest"},
      {"no program", Catalog::Kernels, [] {}, kernel_ + "/linux", "k", Kind::Invalid, "program"},
      {"a manifest without a name", Catalog::Images, [&] { write(image_ + "/manifest.json", "{}"); }, image_,
       "", Kind::Invalid, "image name"},
      {"a list for a manifest", Catalog::Images, [&] { write(image_ + "/manifest.json", "[]"); }, image_, "x",
       Kind::Invalid, "manifest.json"},
      {"no JSON", Catalog::Kernels, [&] { write(kernel_ + "/manifest.json", "{"); }, kernel_, "x",
       Kind::Invalid, "manifest.json"},
      {"no manifest", Catalog::Kernels, [&] { (void)posix::remove_file(kernel_ + "/manifest.json"); },
       kernel_, "x", Kind::NotFound, "manifest.json"},
      {"no disk", Catalog::Images,
       [&] { write(image_ + "/manifest.json", "{}"), (void)posix::remove_file(image_ + "/root.img"); },
       image_, "x", Kind::NotFound, "root.img"},
      {"a directory for a disk", Catalog::Images,
       [&] { (void)posix::make_directories(image_ + "/root.img", 0755); }, image_, "x", Kind::Invalid,
       "regular"},
  };
  for (const auto& row : rows) {
    row.spoil();
    EXPECT_THAT(take_in(row.which, row.from, row.name), is_error(row.kind, row.says)) << row.what;
    EXPECT_THAT(held(row.which), ::testing::IsEmpty()) << row.what;
  }
}

TEST_F(Library, NoticesWhenAFileWasChangedOrLost) {
  for (const Catalog which : kBoth) {
    const auto entry = take(which);
    ASSERT_THAT(entry, is_ok());
    const std::string path = file(which, entry->digest);
    const std::string content = posix::read_file(path).value_or(std::string());
    std::string changed = content;
    changed.back() = static_cast<char>(changed.back() ^ 1);
    for (const std::string& other : {changed, content + '\0', content.substr(1), std::string()}) {
      write(path, other);
      EXPECT_THAT(verify(which, paths_, entry->digest), is_error(Kind::Conflict, path));
    }
    write(path, content);
    EXPECT_THAT(verify(which, paths_, entry->digest), is_ok());
    for (int i = 0; i < 2; ++i) EXPECT_THAT(remove_files(which, paths_, entry->digest), is_ok());
    EXPECT_THAT(verify(which, paths_, entry->digest), is_error(Kind::NotFound, path));
  }
}

TEST_F(Library, RepairsWhatIsTakenInAgain) {
  for (const Catalog which : kBoth) {
    const auto entry = take(which);
    ASSERT_THAT(entry, is_ok());
    const std::string path = file(which, entry->digest);
    const timespec time = posix::stat(path)->st_mtim;
    write(path, "damaged");
    ASSERT_THAT(take(which), is_ok());
    EXPECT_THAT(verify(which, paths_, entry->digest), is_ok());
    // Disks on an image know it by its time.
    EXPECT_EQ(posix::stat(path)->st_mtim.tv_sec, time.tv_sec);
    ASSERT_THAT(posix::remove_file(path), is_ok());
    ASSERT_THAT(take(which), is_ok());
    EXPECT_THAT(verify(which, paths_, entry->digest), is_ok());
    EXPECT_THAT(held(which), ::testing::ElementsAre(entry->digest));
  }
}

TEST_F(Library, SweepsWhatNoEntryNames) {
  for (const Catalog which : kBoth) {
    const auto entry = take(which);
    ASSERT_THAT(entry, is_ok());
    for (const char* left : {"/.new-0123/root.img", "/1111/linux", "/2222"})
      ASSERT_THAT(posix::make_directories(home(which) + left, 0700), is_ok());
    EXPECT_THAT(sweep(which, paths_, {*entry, entry_of("lost", 'f')}), is_ok());
    EXPECT_THAT(held(which), ::testing::ElementsAre(entry->digest));
    EXPECT_THAT(verify(which, paths_, entry->digest), is_ok());
    EXPECT_THAT(sweep(which, paths_, {}), is_ok());
    EXPECT_THAT(held(which), ::testing::IsEmpty());
  }
}

}  // namespace
}  // namespace umlfarm::daemon
