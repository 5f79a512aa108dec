#include "quota/host_load.h"

#include <gtest/gtest.h>

namespace umlfarm::quota {
namespace {

TEST(HostLoad, IsReadOfWhatTheKernelPrints) {
  EXPECT_EQ(memory_used("MemTotal:       24689764 kB\nMemFree:         1 kB\nMemAvailable:   20000000 kB\n"),
            ByteSize::kib(4'689'764));
  EXPECT_EQ(busy_seconds("cpu  100 20 30 9000 800 7 3 50 40 0\ncpu0 1 1 1 1\n", 100), 1.6);
  EXPECT_EQ(
      waiting_seconds("some avg10=0.00 avg60=0.12 avg300=0.00 total=2500000\nfull avg10=0.00 total=9\n"),
      2.5);
}

TEST(HostLoad, IsNothingWhereTheKernelPrintsSomethingElse) {
  for (const char* const text : {"", "x", "MemAvailable: 7 kB\n", "some avg10=", "full total=7\n"}) {
    EXPECT_EQ(memory_used(text), ByteSize()) << text;
    EXPECT_EQ(busy_seconds(text, 100), 0) << text;
    EXPECT_EQ(waiting_seconds(text), 0) << text;
  }
}

TEST(HostLoad, OfThisHostIsThere) {
  const HostLoad load = host_load("/");
  EXPECT_GT(load.memory_used, ByteSize::mib(1));
  EXPECT_GT(load.disk_used, ByteSize::mib(1));
  EXPECT_GT(load.busy_seconds, 0);
}

}  // namespace
}  // namespace umlfarm::quota
