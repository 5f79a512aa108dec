// Bases and COW files as the disk tests use them.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "guest/disk/cow.h"
#include "provisioner/base/posix.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::guest {

class DiskTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kBaseSize = 3 * 1024 * 1024 + 512;

  // A base with random content in its first and last MiB and a hole between.
  std::string make_base(const std::string& name = "base.img", std::uint64_t size = kBaseSize) {
    const std::string path = directory_ / name;
    const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    EXPECT_EQ(::ftruncate(fd.get(), static_cast<off_t>(size)), 0);
    if (size >= kBaseSize) {
      EXPECT_THAT(posix::pwrite_all(fd.get(), random_bytes(1U << 20U), 0), testing::is_ok());
      EXPECT_THAT(posix::pwrite_all(fd.get(), random_bytes(4096), static_cast<std::int64_t>(size - 4096)),
                  testing::is_ok());
    }
    return path;
  }

  Status create(const std::string& cow, const CowBase& base, std::optional<std::uint64_t> size = {}) {
    return create_cow(cow, base, 0640, ::getuid(), ::getgid(), size);
  }

  // Writes one sector as UML does: data, then its bit.
  void write_sector(const std::string& cow, std::uint64_t sector, std::uint8_t fill) {
    const auto info = inspect_cow(cow);
    ASSERT_THAT(info, testing::is_ok());
    const UniqueFd fd(::open(cow.c_str(), O_RDWR | O_CLOEXEC));
    const std::vector<std::uint8_t> data(512, fill);
    ASSERT_THAT(
        posix::pwrite_all(fd.get(), data, static_cast<std::int64_t>(info->data_offset + sector * 512)),
        testing::is_ok());
    std::uint8_t bits[1] = {};
    const auto at = static_cast<std::int64_t>(info->bitmap_offset + sector / 8);
    ASSERT_THAT(posix::pread_all(fd.get(), bits, at), testing::is_ok());
    bits[0] = static_cast<std::uint8_t>(bits[0] | 1U << (sector % 8));
    ASSERT_THAT(posix::pwrite_all(fd.get(), bits, at), testing::is_ok());
  }

  void overwrite(const std::string& path, std::int64_t offset, const std::vector<std::uint8_t>& bytes) {
    const UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_THAT(posix::pwrite_all(fd.get(), bytes, offset), testing::is_ok());
  }

  void set_mtime(const std::string& path, std::int64_t seconds) {
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }

  std::string content(const std::string& path) {
    auto data = posix::read_file(path, 64U << 20U);
    EXPECT_THAT(data, testing::is_ok());
    return std::move(data).value();
  }

  std::vector<std::string> names() {
    return posix::list_directory(directory_.path()).value_or(std::vector<std::string>());
  }

  std::vector<std::uint8_t> random_bytes(std::size_t count) {
    std::vector<std::uint8_t> bytes(count);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random_());
    return bytes;
  }

  testing::TemporaryDirectory directory_;
  std::mt19937 random_{17};
};

}  // namespace umlfarm::guest
