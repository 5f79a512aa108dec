#include <gtest/gtest.h>

#include "provisioner/daemon/admission.h"
#include "tests/provisioner/daemon/records.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::daemon {
namespace {

using testing::is_error;
using testing::is_ok;

const std::vector<CatalogEntry>& entries() {
  // The newest first, as a catalog gives them.
  static const std::vector<CatalogEntry> all{entry_of("web", '2', 3), entry_of("base", '1', 2),
                                             entry_of("web", '0', 1)};
  return all;
}

TEST(FindEntry, KnowsNamesAndBeginningsOfDigests) {
  const struct {
    std::string asked;
    char digit;
  } rows[] = {{"web", '2'},
              {"base", '1'},
              {std::string(64, '0'), '0'},
              {std::string(8, '0'), '0'},
              {std::string(63, '1'), '1'}};
  for (const auto& row : rows) {
    const auto found = find_entry(entries(), "image", row.asked);
    ASSERT_THAT(found, is_ok()) << row.asked;
    EXPECT_EQ(found->digest, std::string(64, row.digit)) << row.asked;
  }
}

TEST(FindEntry, SaysWhatThereIs) {
  for (const std::string& asked : {std::string(), std::string("we"), std::string("WEB"), std::string(7, '0'),
                                   std::string(65, '0'), std::string(8, 'f')}) {
    EXPECT_THAT(find_entry(entries(), "image", asked), is_error(Kind::NotFound, "base, web")) << asked;
  }
  EXPECT_THAT(find_entry({}, "kernel", "strict"), is_error(Kind::NotFound, "none"));
}

}  // namespace
}  // namespace umlfarm::daemon
