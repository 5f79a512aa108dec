#include "provisioner/daemon/sparse_digest.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <random>
#include <vector>

#include "provisioner/base/ids.h"
#include "provisioner/base/posix.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::daemon {
namespace {

using testing::is_ok;

constexpr std::size_t kChunk = 1U << 20U;
constexpr std::size_t kSizes[] = {0, 1, 511, kChunk - 1, kChunk, kChunk + 1, 3 * kChunk + 512};

class SparseDigest : public ::testing::Test {
 protected:
  UniqueFd create(std::size_t size) {
    const std::string path = directory_ / std::to_string(++files_);
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    EXPECT_EQ(::ftruncate(file.get(), static_cast<off_t>(size)), 0);
    return file;
  }
  UniqueFd create(const std::string& content) {
    UniqueFd file = create(std::size_t{0});
    EXPECT_THAT(posix::write_all(file.get(), content), is_ok());
    return file;
  }
  // A disk of `size` bytes that holds one byte at `at` and nothing else.
  UniqueFd create_with_byte(std::size_t size, std::size_t at) {
    UniqueFd file = create(size);
    EXPECT_EQ(::pwrite(file.get(), "x", 1, static_cast<off_t>(at)), 1);
    return file;
  }
  std::string digest(const UniqueFd& file) {
    const auto digest = digest_sparse(file.get(), -1);
    EXPECT_THAT(digest, is_ok());
    return digest.value_or(std::string());
  }
  std::string content(const UniqueFd& file) {
    EXPECT_EQ(::lseek(file.get(), 0, SEEK_SET), 0);
    return posix::read_all(file.get(), 64U << 20U).value_or(std::string("unreadable"));
  }
  std::string random_bytes(std::size_t count) {
    std::string bytes(count, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random_());
    return bytes;
  }

  testing::TemporaryDirectory directory_;
  std::mt19937 random_{17};
  int files_ = 0;
};

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

// The definition, word by word.
std::string defined(const std::string& content) {
  std::string hashes;
  for (std::size_t at = 0; at < content.size(); at += kChunk)
    hashes += from_hex(sha256(content.substr(at, kChunk)));
  return sha256(hashes);
}

TEST_F(SparseDigest, IsTheDigestOfTheDigestsOfItsMebibytes) {
  for (const std::size_t size : kSizes) {
    const std::string bytes = random_bytes(size);
    EXPECT_EQ(digest(create(bytes)), defined(bytes)) << size;
  }
}

TEST_F(SparseDigest, TakesAHoleForZeros) {
  for (const std::size_t size : kSizes) {
    const std::string zeros(size, '\0');
    EXPECT_EQ(digest(create(size)), defined(zeros)) << size;
    EXPECT_EQ(digest(create(zeros)), defined(zeros)) << size;
  }
  const std::size_t size = 5 * kChunk + 700;
  for (const std::size_t at : {std::size_t{0}, kChunk - 1, kChunk, 3 * kChunk + 5, size - 1}) {
    std::string bytes(size, '\0');
    bytes[at] = 'x';
    EXPECT_EQ(digest(create_with_byte(size, at)), defined(bytes)) << at;
  }
}

TEST_F(SparseDigest, DiffersWhereverOneByteDoes) {
  const std::size_t size = 4 * kChunk + 100;
  std::vector<std::string> seen{digest(create(size))};
  for (const std::size_t at : {std::size_t{0}, kChunk - 1, kChunk, 2 * kChunk + 77, 4 * kChunk, size - 1}) {
    seen.push_back(digest(create_with_byte(size, at)));
  }
  for (const std::size_t other : {size - 1, size + 1, 4 * kChunk, 5 * kChunk})
    seen.push_back(digest(create(other)));
  for (std::size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(std::count(seen.begin(), seen.end(), seen[i]), 1) << i;
  }
}

TEST_F(SparseDigest, CopiesWhatItDigests) {
  for (const std::size_t size : kSizes) {
    std::string bytes = random_bytes(size);
    if (size > kChunk) bytes.replace(0, kChunk, kChunk, '\0');
    const UniqueFd from = create(bytes);
    const UniqueFd to = create(std::size_t{0});
    const auto copied = digest_sparse(from.get(), to.get());
    ASSERT_THAT(copied, is_ok());
    EXPECT_EQ(*copied, defined(bytes)) << size;
    EXPECT_TRUE(content(to) == bytes) << size;
    EXPECT_EQ(digest(to), *copied) << size;
  }
}

TEST_F(SparseDigest, LeavesHolesAsHolesInTheCopy) {
  const std::size_t size = 40 * kChunk;
  const UniqueFd from = create_with_byte(size, 17 * kChunk);
  const UniqueFd to = create(std::size_t{0});
  ASSERT_THAT(digest_sparse(from.get(), to.get()), is_ok());
  struct stat status {};
  ASSERT_EQ(::fstat(to.get(), &status), 0);
  EXPECT_EQ(static_cast<std::size_t>(status.st_size), size);
  EXPECT_LE(static_cast<std::size_t>(status.st_blocks) * 512, 2 * kChunk);
  EXPECT_EQ(digest(to), digest(from));
}

TEST_F(SparseDigest, ReadsFromTheBeginningWhereverTheFileStands) {
  const UniqueFd file = create(random_bytes(2 * kChunk));
  const std::string first = digest(file);
  ASSERT_EQ(::lseek(file.get(), 100, SEEK_SET), 100);
  EXPECT_EQ(digest(file), first);
}

TEST_F(SparseDigest, FailsWhereItCannotReadOrWrite) {
  const UniqueFd from = create(random_bytes(100));
  const UniqueFd write_only(::open((directory_ / "1").c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_FALSE(digest_sparse(write_only.get(), -1));
  const UniqueFd read_only(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(digest_sparse(from.get(), read_only.get()));
  EXPECT_FALSE(digest_sparse(-1, -1));
}

}  // namespace
}  // namespace umlfarm::daemon
