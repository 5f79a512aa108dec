#include "provisioner/base/table.h"

#include <gtest/gtest.h>

namespace umlfarm {
namespace {

TEST(Table, LinesColumnsUp) {
  EXPECT_EQ(table({"NAME", "STATE", "UP"}, {{"a", "ready", "1h"}, {"long-name", "on", "-"}}),
            "NAME       STATE  UP\n"
            "a          ready  1h\n"
            "long-name  on     -\n");
}

TEST(Table, LinesNumbersUpAtTheirRight) {
  EXPECT_EQ(table({"NAME", "SIZE", "N"}, {{"a", "1 MiB", "3"}, {"b", "100 MiB", "17"}}, {1, 2}),
            "NAME     SIZE   N\n"
            "a       1 MiB   3\n"
            "b     100 MiB  17\n");
}

TEST(Table, IsItsHeaderWhereThereAreNoRows) {
  EXPECT_EQ(table({"NAME", "STATE"}, {}), "NAME  STATE\n");
  EXPECT_EQ(table({}, {}), "\n");
}

TEST(Table, HasNoSpaceAtTheEndOfALine) {
  EXPECT_EQ(table({"NAME", "STATE", ""}, {{"alice", "", ""}, {"", "", "x"}, {"", "", ""}}),
            "NAME   STATE\n"
            "alice\n"
            "              x\n"
            "\n");
}

TEST(Fields, LineValuesUpAndLeaveEmptyOnesOut) {
  EXPECT_EQ(fields({{"name", "alice"}, {"reason", ""}, {"host key", "ssh-ed25519 A"}}),
            "name:      alice\n"
            "host key:  ssh-ed25519 A\n");
  EXPECT_EQ(fields({}), "");
  EXPECT_EQ(fields({{"reason", ""}}), "");
}

}  // namespace
}  // namespace umlfarm
