#include "guest/disk/staged_file.h"

#include "provisioner/base/atomic_file.h"
#include "tests/guest/disk/disk_fixture.h"

namespace umlfarm::guest {
namespace {

using testing::is_error;
using testing::is_ok;

class StagedFiles : public DiskTest {};

TEST_F(StagedFiles, HasNoNameUntilItIsPublished) {
  const std::string path = directory_ / "f";
  auto staged = StagedFile::create(path, 0640);
  ASSERT_THAT(staged, is_ok());
  ASSERT_THAT(posix::write_all(staged->fd(), "whole"), is_ok());
  EXPECT_TRUE(names().empty());
  ASSERT_THAT(staged->publish(), is_ok());
  EXPECT_EQ(content(path), "whole");
}

TEST_F(StagedFiles, DoesNotReplaceAFileThatCameMeanwhile) {
  const std::string path = directory_ / "f";
  auto staged = StagedFile::create(path, 0640);
  ASSERT_THAT(staged, is_ok());
  ASSERT_THAT(write_file_atomically(path, "theirs", 0600), is_ok());
  EXPECT_THAT(staged->publish(), is_error(Kind::Conflict, "not overwritten"));
  EXPECT_EQ(content(path), "theirs");
}

TEST_F(StagedFiles, NamesTheFileWhenTheDirectoryIsMissing) {
  EXPECT_THAT(StagedFile::create(directory_ / "no/f", 0640), is_error(Kind::NotFound, "no/f"));
}

}  // namespace
}  // namespace umlfarm::guest
