#include "provisioner/base/printable.h"

#include <gtest/gtest.h>

namespace umlfarm {
namespace {

TEST(Printable, KeepsWhatATerminalShowsAndNothingThatItObeys) {
  std::string plain;
  for (char c = ' '; c <= '~'; ++c) plain += c;
  EXPECT_EQ(printable(plain), plain);
  EXPECT_EQ(printable(""), "");
  const struct {
    std::string text;
    const char* shown;
  } rows[] = {{"a\x1b[2Jb", "a?[2Jb"},
              {"two\nlines\r\t", "two?lines??"},
              {std::string("\0", 1), "?"},
              {"\x7f\x80\x9b\xff", "????"},
              {"\xc3\xbc", "??"}};
  for (const auto& row : rows) EXPECT_EQ(printable(row.text), row.shown);
}

}  // namespace
}  // namespace umlfarm
