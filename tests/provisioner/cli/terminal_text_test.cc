#include "provisioner/cli/terminal_text.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace umlfarm::cli {
namespace {

struct Case {
  std::string written;
  std::string shown;
};

const std::vector<Case> kCases{
    {"", ""},
    {"plain\ttext\n", "plain\ttext\n"},
    {"line\r\nline\r\n", "line\nline\n"},
    {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7"},
    {"\x1b[31mred\x1b[0m", "red"},
    {"\x1b[2J\x1b[1;1Hgone", "gone"},
    {"\x1b]0;title\agone", "gone"},
    {"\x1b]52;c;cHduZWQ=\x1b\\gone", "gone"},
    {"\x1bPq#0\x1b\\gone", "gone"},
    {"\x1b]never ends\nnext", "next"},
    {"\x1b(Bgone", "gone"},
    {"\x1b"
     "cgone",
     "gone"},
    {"bell\a back\b null" + std::string(1, '\0') + " del\x7f", "bell back null del"},
    {"\xc2\x9b"
     "31mred",
     "31mred"},
    {"\x9b"
     "31mred",
     "?31mred"},
    {"\xff\xfe", "??"},
    {"\xc3(", "?("},
};

TEST(TerminalText, TakesOutWhatMovesATerminal) {
  for (const Case& each : kCases) EXPECT_EQ(TerminalText().filter(each.written), each.shown) << each.shown;
}

TEST(TerminalText, MayBeCutAnywhere) {
  for (const Case& each : kCases) {
    for (std::size_t cut = 0; cut <= each.written.size(); ++cut) {
      TerminalText text;
      const std::string first = text.filter(each.written.substr(0, cut));
      EXPECT_EQ(first + text.filter(each.written.substr(cut)), each.shown) << "cut at " << cut;
    }
  }
}

TEST(TerminalText, LeavesNoControlCharacterOfAnyByteInAnyState) {
  for (const char* before : {"", "\x1b", "\x1b[", "\x1b]", "\xe2", "\xe2\x82"}) {
    for (int byte = 0; byte < 256; ++byte) {
      const std::string shown = TerminalText().filter(before + std::string(1, static_cast<char>(byte)));
      for (const char c : shown) {
        EXPECT_TRUE(static_cast<unsigned char>(c) >= ' ' || c == '\n' || c == '\t') << byte;
        EXPECT_NE(c, 0x7f);
      }
    }
  }
}

TEST(TerminalText, IsAsWrittenWhereNoTerminalIs) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  EXPECT_EQ(for_descriptor(ends[1], "\x1b[31mred"), "\x1b[31mred");
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace umlfarm::cli
