// The manual page, read as the document that it describes.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <sstream>

#include "provisioner/base/posix.h"
#include "quota/limit_fields.h"
#include "tests/provisioner/config/keys.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::config {
namespace {

using testing::is_ok;

// The arguments of a roff macro as they are printed: one after another, without their quotes and escapes.
std::string printed(const std::string& arguments) {
  std::string text;
  bool quoted = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const char c = arguments[i];
    if (c == '"' && quoted && arguments.substr(i, 2) == "\"\"") {
      text += arguments[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c != '\\' && (quoted || c != ' ')) {
      text += c;
    }
  }
  return text;
}

struct Page {
  std::string defaults;         // a document of all keys outside the plans, as the page gives their defaults
  std::set<std::string> plans;  // keys of a plan
  std::string example;
};

void read_keys(const std::string& keys, Page& page) {
  const bool plan = keys.find('=') == std::string::npos;
  std::istringstream items(keys);
  for (std::string item; std::getline(items, item, ',');) {
    item = item.substr(item.find_first_not_of(' '));
    if (plan) page.plans.insert(item);
    if (!plan) page.defaults += item + "\n";
  }
}

Page read_page() {
  const auto text = posix::read_file(std::string(UMLFARM_SOURCE_DIRECTORY) + "/deploy/man/umlfarm.toml.5");
  EXPECT_THAT(text, is_ok());
  std::istringstream lines(text.value_or(std::string()));
  Page page;
  bool keys = false;
  bool example = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(".SH")) keys = line == ".SH KEYS";
    if (line == ".nf" || line == ".fi") {
      example = line == ".nf";
    } else if (example) {
      page.example += line + "\n";
    } else if (keys && line.starts_with(".SS [") && !line.starts_with(".SS [[")) {
      page.defaults += line.substr(4) + "\n";
    } else if (keys && line.starts_with(".BR ")) {
      read_keys(printed(line.substr(4)), page);
    }
  }
  return page;
}

TEST(ConfigManualPage, NamesEveryKeyWithItsDefault) {
  const Page page = read_page();
  const auto config = parse(page.defaults, "umlfarm.toml.5");
  ASSERT_THAT(config, is_ok()) << page.defaults;
  EXPECT_EQ(std::count(page.defaults.begin(), page.defaults.end(), '='), std::ssize(keys()))
      << "a key that no test knows, in" << page.defaults;
  const Config expected = defaults();
  for (const Key& key : keys()) {
    EXPECT_NE(("\n" + page.defaults).find("\n" + std::string(key.name) + " = "), std::string::npos)
        << key.name;
    EXPECT_EQ(key.read(*config), key.read(expected)) << key.name;
  }
}

TEST(ConfigManualPage, NamesEveryKeyOfAPlan) {
  std::vector<std::string> keys{"name", "summary", "kernel", "durable_disks", "tap_offload"};
  for (const quota::LimitField& field : quota::limit_fields()) keys.emplace_back(field.name);
  EXPECT_THAT(read_page().plans, ::testing::UnorderedElementsAreArray(keys));
}

TEST(ConfigManualPage, ShowsAnExampleThatIsAccepted) {
  const Page page = read_page();
  const auto config = parse(page.example, "example");
  ASSERT_THAT(config, is_ok()) << page.example;
  ASSERT_EQ(config->plans.size(), 1U);
  EXPECT_EQ(config->plans[0].name, "shell");
}

}  // namespace
}  // namespace umlfarm::config
