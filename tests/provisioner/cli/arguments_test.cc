#include "provisioner/cli/arguments.h"

#include <gtest/gtest.h>

namespace umlfarm::cli {
namespace {

namespace options = boost::program_options;
using Words = std::vector<std::string>;

options::options_description known() {
  options::options_description description("Options");
  description.add_options()("follow,f", options::bool_switch(), "")(
      "user,l", options::value<std::string>(), "")("timeout",
                                                   options::value<std::string>()->default_value("120"), "")(
      "key", options::value<Words>()->composing(), "")("count", options::value<std::int64_t>(), "");
  return description;
}

TEST(Parse, TellsOptionsFromWordsWhereverTheyStand) {
  for (const Words& arguments :
       {Words{"alice", "--follow", "--user", "bob"}, Words{"-f", "-l", "bob", "alice"},
        Words{"--user=bob", "alice", "-f"}, Words{"-lbob", "-f", "--", "alice"}}) {
    const Parsed parsed = parse(arguments, known(), 1, 1);
    EXPECT_EQ(parsed.words, Words{"alice"});
    EXPECT_TRUE(parsed.flag("follow"));
    EXPECT_TRUE(parsed.has("user"));
    EXPECT_EQ(parsed.text("user"), "bob");
  }
}

TEST(Parse, KnowsWhatWasNotGiven) {
  const Parsed parsed = parse({}, known(), 0, 0);
  EXPECT_EQ(parsed.words, Words());
  EXPECT_FALSE(parsed.flag("follow"));
  EXPECT_FALSE(parsed.has("user"));
  EXPECT_EQ(parsed.text("user"), "");
  EXPECT_EQ(parsed.texts("key"), Words());
  // A default is there, and was not given.
  EXPECT_FALSE(parsed.has("timeout"));
  EXPECT_EQ(parsed.text("timeout"), "120");
  EXPECT_TRUE(parse({"--timeout", "120"}, known(), 0, 0).has("timeout"));
}

TEST(Parse, CollectsAnOptionThatIsGivenAgain) {
  EXPECT_EQ(parse({"--key", "a", "--key=b"}, known(), 0, 0).texts("key"), (Words{"a", "b"}));
}

TEST(Parse, TakesEmptyWordsAndNegativeNumbersAsTheyAre) {
  EXPECT_EQ(parse({""}, known(), 1, 1).words, Words{""});
  EXPECT_EQ(parse({"--count", "-3"}, known(), 0, 0).options["count"].as<std::int64_t>(), -3);
  EXPECT_EQ(parse({"--", "--follow"}, known(), 1, 1).words, Words{"--follow"});
}

TEST(Parse, RefusesWrongUse) {
  const struct {
    Words arguments;
    const char* why;
  } rows[] = {{{}, "too few words"},
              {{"a", "b", "c"}, "too many words"},
              {{"a", "--colour"}, "unknown option"},
              {{"a", "-x"}, "unknown letter"},
              {{"a", "--fol"}, "an option cut short"},
              {{"a", "--user"}, "a value missing"},
              {{"a", "--user", "b", "--user", "c"}, "given twice"},
              {{"a", "--count", "many"}, "no number"},
              {{"a", "--count", "99999999999999999999"}, "a number too large"},
              {{"a", "--follow=yes"}, "a value too many"}};
  for (const auto& row : rows) EXPECT_THROW(parse(row.arguments, known(), 1, 2), options::error) << row.why;
}

TEST(Parse, NamesTheWordThatIsOneTooMany) {
  try {
    parse({"alice", "bob"}, known(), 1, 1);
    FAIL();
  } catch (const options::error& fault) {
    EXPECT_NE(std::string(fault.what()).find("'bob'"), std::string::npos) << fault.what();
  }
}

TEST(ParseLeading, LeavesWhatFollowsTheFirstWordToAnotherProgram) {
  const struct {
    Words arguments;
    Words words;
    const char* user;
  } rows[] = {{{"alice"}, {"alice"}, ""},
              {{"alice", "uname", "-a"}, {"alice", "uname", "-a"}, ""},
              {{"alice", "--", "uname", "-a"}, {"alice", "uname", "-a"}, ""},
              {{"alice", "--"}, {"alice"}, ""},
              {{"alice", "--", "--", "x"}, {"alice", "--", "x"}, ""},
              {{"alice", "ls", "--", "x"}, {"alice", "ls", "--", "x"}, ""},
              {{"alice", "-l", "bob", "--help"}, {"alice", "-l", "bob", "--help"}, ""},
              {{"-l", "bob", "alice", "-l", "x"}, {"alice", "-l", "x"}, "bob"},
              {{"--user", "bob", "alice"}, {"alice"}, "bob"},
              {{"--user=bob", "alice"}, {"alice"}, "bob"},
              {{"-f", "alice", ""}, {"alice", ""}, ""}};
  for (const auto& row : rows) {
    const Parsed parsed = parse_leading(row.arguments, known(), 1);
    EXPECT_EQ(parsed.words, row.words);
    EXPECT_EQ(parsed.text("user"), row.user);
  }
}

TEST(ParseLeading, RefusesWrongUse) {
  for (const Words& arguments : {Words{}, Words{"-l"}, Words{"-l", "bob"}, Words{"--follow"},
                                 Words{"--colour", "alice"}, Words{"--colour"}}) {
    EXPECT_THROW(parse_leading(arguments, known(), 1), options::error);
  }
  EXPECT_THROW(parse_leading({"alice"}, known(), 2), options::error);
  EXPECT_THROW(parse_leading({"alice", "--"}, known(), 2), options::error);
}

TEST(Milliseconds, ReadWholeSecondsOfADayAtMost) {
  const struct {
    const char* text;
    std::int64_t ms;
  } rows[] = {{"0", 0}, {"1", 1000}, {"007", 7000}, {"120", 120'000}, {"86400", 86'400'000}};
  for (const auto& row : rows) EXPECT_EQ(milliseconds("timeout", row.text), row.ms);
}

TEST(Milliseconds, RefuseAllElseAndNameIt) {
  for (const char* text : {"", " ", "-1", "+1", "1.5", "1s", "1 ", " 1", "0x10", "soon", "86401",
                           "4294967296", "99999999999999999999"}) {
    try {
      milliseconds("timeout", text);
      ADD_FAILURE() << text;
    } catch (const options::error& fault) {
      const std::string what = fault.what();
      EXPECT_NE(what.find("--timeout"), std::string::npos) << what;
      EXPECT_NE(what.find(std::string("'") + text + "'"), std::string::npos) << what;
    }
  }
}

}  // namespace
}  // namespace umlfarm::cli
