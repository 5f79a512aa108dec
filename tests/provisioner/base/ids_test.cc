#include "provisioner/base/ids.h"

#include <gtest/gtest.h>

#include "provisioner/base/atomic_file.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm {
namespace {

TEST(CheckName, AcceptsHostNames) {
  for (const char* name : {"a", "alice", "lab-20", "a1-b2"})
    EXPECT_THAT(check_name("guest name", name), testing::is_ok());
  EXPECT_THAT(check_name("guest name", std::string(40, 'a')), testing::is_ok());
}

TEST(CheckName, RefusesWhatCannotBeAHostOrFileName) {
  for (const std::string& name :
       {std::string(), std::string(41, 'a'), std::string("a/b"), std::string("../x"), std::string("."),
        std::string("Alice"), std::string("1a"), std::string("-a"), std::string("a-"), std::string("a b"),
        std::string("a\n"), std::string("\0a", 2)}) {
    EXPECT_THAT(check_name("guest name", name),
                testing::is_error(Kind::Invalid, "guest name '" + name + "'"));
  }
}

TEST(Sha256, KnowsTheStandardVectorAndAgreesWithTheFile) {
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const testing::TemporaryDirectory directory;
  ASSERT_THAT(write_file_atomically(directory / "f", "abc", 0600), testing::is_ok());
  const auto digest = sha256_file(directory / "f");
  ASSERT_THAT(digest, testing::is_ok());
  EXPECT_EQ(*digest, sha256("abc"));
}

TEST(Sha256, ReadsAFileToItsEnd) {
  // More than is read at once.
  const std::string data((1U << 20U) + 1, 'x');
  const testing::TemporaryDirectory directory;
  ASSERT_THAT(write_file_atomically(directory / "f", data, 0600), testing::is_ok());
  const auto digest = sha256_file(directory / "f");
  ASSERT_THAT(digest, testing::is_ok());
  EXPECT_EQ(*digest, sha256(data));
}

TEST(Sha256, NamesAFileThatItCannotRead) {
  const testing::TemporaryDirectory directory;
  EXPECT_THAT(sha256_file(directory / "missing"), testing::is_error(Kind::NotFound, directory / "missing"));
  EXPECT_THAT(sha256_file(directory.path()), testing::is_error(Kind::Invalid, directory.path()));
}

TEST(GuestId, IsShortEnoughForAnInterfaceName) {
  EXPECT_EQ(guest_id(17), "g17");
  // A tap's name has a letter before it.
  EXPECT_LE(guest_id(999'999'999'999).size(), 14U);
}

TEST(RandomHex, IsAsLongAsAskedLowerCaseAndDiffers) {
  for (const std::size_t bytes : {0U, 1U, 16U, 1000U}) {
    const std::string text = random_hex(bytes);
    EXPECT_EQ(text.size(), 2 * bytes);
    EXPECT_EQ(text.find_first_not_of("0123456789abcdef"), std::string::npos) << text;
  }
  EXPECT_NE(random_hex(16), random_hex(16));
}

}  // namespace
}  // namespace umlfarm
