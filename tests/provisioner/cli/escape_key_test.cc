#include "provisioner/cli/escape_key.h"

#include <gtest/gtest.h>

namespace umlfarm::cli {
namespace {

TEST(SplitAtEscape, GivesTheGuestWhatWasTypedBefore) {
  const std::string key(1, kEscapeKey);
  const struct {
    std::string input;
    std::string data;
    bool leave;
  } rows[] = {{"", "", false},
              {"ls\r", "ls\r", false},
              {key, "", true},
              {"ls" + key, "ls", true},
              {"ls" + key + "rm -rf /\r", "ls", true},
              {key + key, "", true},
              {"]^]\x1b[A\x03", "]^]\x1b[A\x03", false},
              {std::string("\0a", 2), std::string("\0a", 2), false}};
  for (const auto& row : rows) {
    const Typed typed = split_at_escape(row.input);
    EXPECT_EQ(typed.data, row.data) << row.input;
    EXPECT_EQ(typed.leave, row.leave) << row.input;
  }
}

TEST(SplitAtEscape, KnowsControlAndTheClosingBracket) { EXPECT_EQ(kEscapeKey, ']' & 0x1f); }

}  // namespace
}  // namespace umlfarm::cli
