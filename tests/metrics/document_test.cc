// deploy/docs/metrics.md names each metric, as it is.
#include <gmock/gmock.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "metrics/families.h"

namespace umlfarm::metrics {
namespace {

TEST(Document, NamesEachMetricAndNoOther) {
  std::ifstream file(UMLFARM_SOURCE_DIRECTORY "/deploy/docs/metrics.md");
  std::ostringstream content;
  content << file.rdbuf();
  const std::string text = content.str();
  std::set<std::string> names;
  for (const Family& metric : families()) {
    names.insert(metric.name);
    std::string labels;
    for (const char* const label : metric.labels)
      labels += (labels.empty() ? "`" : ", `") + std::string(label) + "`";
    EXPECT_THAT(text,
                ::testing::HasSubstr("| `" + metric.name + "` | " + (metric.counter ? "counter" : "gauge") +
                                     " | " + labels + " | " + metric.help + " |\n"));
  }
  const std::regex row("\\| `(umlfarm_[a-z0-9_]+)` \\|");
  for (std::sregex_iterator each(text.begin(), text.end(), row), end; each != end; ++each)
    EXPECT_TRUE(names.contains((*each)[1])) << (*each)[1] << " is not exported";
}

}  // namespace
}  // namespace umlfarm::metrics
