#include <gtest/gtest.h>

#include <vector>

#include "provisioner/config/config.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::config {
namespace {

using testing::is_error;
using testing::is_ok;

// The lines that the faults of a refused document named "f" name, in their order.
std::vector<int> fault_lines(const Result<Config>& refused) {
  std::vector<int> lines;
  if (refused) return lines;
  const std::string text = refused.error().message();
  constexpr std::string_view kMark = "\n  f:";
  for (std::size_t at = text.find(kMark); at != std::string::npos; at = text.find(kMark, at + 1)) {
    lines.push_back(std::stoi(text.substr(at + kMark.size())));
  }
  return lines;
}

TEST(ConfigFaults, AreAllNamedAtOnceEachWithItsLine) {
  const auto refused = parse(R"(admins = "root"
[network]
isolate = "yes"
gateway = "10.0.0.1"
[guests]
uids = 0
parallel = 8
restarts = "five"
[capacity]
disk_reserve = "much"
[[plan]]
name = "tiny"
memory = "32M"
disk = "1G"
colour = "red"
[[plan]]
name = "no memory"
)",
                             "f");
  EXPECT_THAT(refused, is_error(Kind::Invalid, "configuration"));
  EXPECT_THAT(fault_lines(refused), ::testing::UnorderedElementsAre(1, 3, 4, 6, 8, 10, 15, 16));
}

TEST(ConfigFaults, NameUnknownKeysWhereverTheyAre) {
  const struct {
    const char* document;
    int line;
  } rows[] = {{"colour = 1", 1},
              {"\n\n[colour]\nx = 1", 3},
              {"[network]\npool4 = '10.0.0.0/8'\ncolour = 1", 3},
              {"[guests]\ncolour = 1", 2},
              {"[capacity]\n\ncolour = 1", 3},
              {"[[plan]]\nname = 'a'\nmemory = '32M'\ndisk = '1G'\ncolour = 1", 5},
              {"network.colour = 1", 1}};
  for (const auto& row : rows) {
    const auto refused = parse(row.document, "f");
    EXPECT_THAT(refused, is_error(Kind::Invalid, "unknown key 'colour'")) << row.document;
    EXPECT_THAT(fault_lines(refused), ::testing::ElementsAre(row.line)) << row.document;
  }
}

TEST(ConfigFaults, RefuseASectionThatIsNone) {
  for (const char* section : {"network", "guests", "capacity"}) {
    for (const char* value : {" = 1", " = []", " = 'x'"}) {
      const auto refused = parse("\n" + std::string(section) + value, "f");
      EXPECT_THAT(refused, is_error(Kind::Invalid, section)) << value;
      EXPECT_THAT(fault_lines(refused), ::testing::ElementsAre(2)) << section << value;
    }
  }
}

TEST(ConfigFaults, NameTheLineOfWhatIsNotToml) {
  const struct {
    const char* document;
    const char* place;
  } rows[] = {{"admins = [", "f:1:"},
              {"[network]\npool4 = 10.77.0.0/16\n", "f:2:"},
              {"[guests]\nuids = 1\nuids = 2\n", "f:3:"},
              {"[guests\n", "f:1:"},
              {"\n\nx\n", "f:3:"},
              {"admins = [1]\n[network]\ndns = ['\xff']\n", "f:3:"}};
  for (const auto& row : rows) EXPECT_THAT(parse(row.document, "f"), is_error(Kind::Invalid, row.place));
}

TEST(ConfigFaults, AreNoneInAnEmptyDocument) {
  for (const char* document : {"", "\n\n", "# nothing\n", "[network]\n[guests]\n[capacity]\n"}) {
    EXPECT_THAT(parse(document, "f"), is_ok()) << document;
  }
}

}  // namespace
}  // namespace umlfarm::config
