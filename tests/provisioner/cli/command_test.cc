#include "provisioner/cli/command.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <sstream>

#include "provisioner/cli/help.h"

namespace umlfarm::cli {
namespace {

using Words = std::vector<std::string>;

Words lines_of(const std::string& text) {
  Words lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

Words words_of(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

TEST(Commands, AreEachFoundByTheirName) {
  std::set<std::string> names;
  for (const Command& command : commands()) {
    EXPECT_TRUE(names.insert(command.name).second) << command.name;
    Words arguments = words_of(command.name);
    EXPECT_EQ(find_command(arguments), &command) << command.name;
    arguments.insert(arguments.end(), {"alice", "--option"});
    EXPECT_EQ(find_command(arguments), &command) << command.name;
    EXPECT_TRUE(command.run) << command.name;
  }
}

TEST(Commands, AreNotFoundByAnythingElse) {
  for (const Words& arguments : {Words{}, Words{""}, Words{"lis"}, Words{"lists"}, Words{"List"},
                                 Words{"image"}, Words{"image", "lst"}, Words{"image list"},
                                 Words{"listimage"}, Words{"--list"}, Words{"plan"}, Words{"plan", ""}}) {
    EXPECT_EQ(find_command(arguments), nullptr);
  }
}

TEST(NearestCommand, KnowsWhatWasMeant) {
  const struct {
    const char* typed;
    const char* meant;
  } rows[] = {{"crate", "create"},
              {"creat", "create"},
              {"lsit", "list"},
              {"deleet", "delete"},
              {"consol", "console"},
              {"image lst", "image list"},
              {"kernel lits", "kernel list"},
              {"plan lst", "plan list"},
              {"image remov", "image remove"},
              {"statsu", "status"},
              {"restrat", "restart"}};
  for (const auto& row : rows) EXPECT_EQ(nearest_command(row.typed), row.meant) << row.typed;
}

TEST(NearestCommand, OfAFamilyIsOneOfIt) {
  for (const char* typed : {"image", "imge", "kernels", "plans"}) {
    const std::string nearest = nearest_command(typed);
    EXPECT_NE(nearest.find(' '), std::string::npos) << typed << ": " << nearest;
    EXPECT_TRUE(nearest.starts_with(typed[0])) << typed << ": " << nearest;
  }
}

TEST(NearestCommand, IsNoneWhereNoneIsNear) {
  for (const char* typed : {"", "x", "ls", "rm", "frobnicate", "virtual machine", "--help"}) {
    EXPECT_EQ(nearest_command(typed), "") << typed;
  }
}

TEST(Help, OfEveryCommandTellsItsUseWithAnExample) {
  for (const Command& command : commands()) {
    const std::string help = help_of(command);
    const Words lines = lines_of(help);
    ASSERT_FALSE(lines.empty()) << command.name;
    EXPECT_TRUE(lines[0].starts_with("usage: umlfarm " + command.name)) << lines[0];
    EXPECT_NE(lines[0].find(command.arguments), std::string::npos) << lines[0];
    EXPECT_FALSE(command.summary.empty()) << command.name;
    EXPECT_EQ(command.summary.find('\n'), std::string::npos) << command.name;
    EXPECT_TRUE(help.ends_with('\n') && !help.ends_with("\n\n\n")) << help;
    std::size_t examples = 0;
    for (const std::string& line : lines) {
      if (line.starts_with("  umlfarm " + command.name)) ++examples;
    }
    EXPECT_GE(examples, 1U) << help;
  }
}

TEST(Help, OfEveryCommandNamesItsOptionsWithWhatTheyDo) {
  for (const Command& command : commands()) {
    const std::string help = help_of(command);
    for (const auto& option : command.options.options()) {
      EXPECT_NE(help.find("--" + option->long_name()), std::string::npos)
          << command.name << " --" << option->long_name();
      EXPECT_FALSE(option->description().empty()) << command.name << " --" << option->long_name();
    }
    // And promises none that it does not take.
    for (const std::string& word : words_of(command.arguments)) {
      const std::size_t at = word.find("--");
      if (at == std::string::npos || word.size() == at + 2) continue;
      const std::string name = word.substr(at + 2, word.find_first_of("]=", at) - at - 2);
      EXPECT_NE(command.options.find_nothrow(name, false), nullptr) << command.name << " " << word;
    }
  }
}

TEST(Help, FitsAScreenAndIsPlainText) {
  Words texts{general_help()};
  for (const Command& command : commands()) texts.push_back(help_of(command));
  for (const std::string& text : texts) {
    for (const std::string& line : lines_of(text)) {
      EXPECT_LE(line.size(), 100U) << line;
      for (const char c : line) EXPECT_TRUE(c >= ' ' && c <= '~') << line;
    }
  }
}

TEST(Help, InGeneralHasALineForEveryCommand) {
  const Words lines = lines_of(general_help());
  for (const Command& command : commands()) {
    const auto says = [&](const std::string& line) {
      return line.starts_with("  " + command.name + "  ") && line.ends_with(" " + command.summary);
    };
    EXPECT_EQ(std::count_if(lines.begin(), lines.end(), says), 1) << command.name;
  }
}

TEST(Help, TellsTheExitStatusOfEveryKind) {
  const std::string help = general_help();
  std::string told = help.substr(help.find("Exit status:"));
  std::replace(told.begin(), told.end(), '\n', ' ');
  for (const Kind kind : {Kind::NotFound, Kind::Invalid, Kind::Conflict, Kind::QuotaExceeded, Kind::Denied,
                          Kind::Unavailable, Kind::Timeout, Kind::Internal}) {
    // "quota" of "quota_exceeded", "not found" of "not_found".
    std::string name(kind_name(kind));
    if (kind == Kind::QuotaExceeded) name = "quota";
    std::replace(name.begin(), name.end(), '_', ' ');
    const std::size_t at = told.find(" " + std::to_string(exit_code(kind)) + " ");
    ASSERT_NE(at, std::string::npos) << name;
    const std::string entry = told.substr(at, told.find_first_of(";.", at) - at);
    EXPECT_NE(entry.find(name), std::string::npos) << entry;
  }
}

}  // namespace
}  // namespace umlfarm::cli
