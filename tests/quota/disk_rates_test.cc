#include <gtest/gtest.h>

#include "provisioner/base/atomic_file.h"
#include "provisioner/base/posix.h"
#include "quota/block_device.h"
#include "quota/controllers/io.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::quota {
namespace {

using testing::is_ok;

TEST(MountSource, IsThatOfTheDeepestMountAndOfTheLastThere) {
  const std::string text =
      "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
      "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
      "28 27 0:40 /x /srv rw master:2 shared:3 - btrfs /dev/vdb rw,subvol=/x\n"
      "29 27 0:41 / /srv/guests rw - tmpfs none rw\n"
      "30 27 0:42 / /srv/guests rw - btrfs /dev/vdc rw\n";
  EXPECT_EQ(mount_source(text, "/srv"), "/dev/vdb");
  EXPECT_EQ(mount_source(text, "/srv/a/b"), "/dev/vdb");
  EXPECT_EQ(mount_source(text, "/srv/guests/g1"), "/dev/vdc");
  EXPECT_EQ(mount_source(text, "/srvice"), "/dev/vda");
  EXPECT_EQ(mount_source("", "/srv"), "");
}

TEST(DiskOf, IsNoneForMemory) {
  EXPECT_EQ(disk_of("/proc"), "");
  EXPECT_EQ(disk_of("/no/such/place"), "");
}

TEST(DiskRates, AreWrittenAsVersion2WantsThem) {
  Limits limits;
  EXPECT_EQ(io::limits_text(limits), "rbps=max wbps=max riops=max wiops=max");
  limits.read_rate = ByteSize::mib(1);
  limits.write_operations = 50;
  EXPECT_EQ(io::limits_text(limits), "rbps=1048576 wbps=max riops=max wiops=50");
}

TEST(DiskRates, AreWrittenOnlyWhereThereIsADiskAndTheKernelHasThem) {
  const testing::TemporaryDirectory directory;
  Limits limits;
  EXPECT_FALSE(io::asked(limits));
  limits.read_operations = 100;
  EXPECT_TRUE(io::asked(limits));
  EXPECT_THAT(io::apply({directory.path(), true, "254:0"}, limits), is_ok()) << "no io.max";
  ASSERT_THAT(write_file_atomically(directory / "io.max", "", 0600), is_ok());
  EXPECT_THAT(io::apply({directory.path(), true, ""}, limits), is_ok());
  EXPECT_EQ(*posix::read_file(directory / "io.max"), "");
  EXPECT_THAT(io::apply({directory.path(), true, "254:0"}, limits), is_ok());
  EXPECT_EQ(*posix::read_file(directory / "io.max"), "254:0 rbps=max wbps=max riops=100 wiops=max");
}

TEST(DiskBytes, AreReadOfBothVersions) {
  Usage usage;
  io::find_use("253:1 Read 7\n254:0 Read 40\n254:0 Write 80\n254:0 Sync 99\nTotal 120\n", "254:0", usage);
  EXPECT_EQ(usage.disk_read, ByteSize(40));
  EXPECT_EQ(usage.disk_written, ByteSize(80));
  io::find_use("8:0 rbytes=1 wbytes=2\n254:0 rbytes=90 wbytes=299 rios=1 wios=3 dbytes=0 dios=0\n", "254:0",
               usage);
  EXPECT_EQ(usage.disk_read, ByteSize(90));
  EXPECT_EQ(usage.disk_written, ByteSize(299));
  EXPECT_EQ(usage.disk_reads, 1U);
  EXPECT_EQ(usage.disk_writes, 3U);
}

}  // namespace
}  // namespace umlfarm::quota
