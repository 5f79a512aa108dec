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

TEST(PromisedTo, SumsGuestsWhateverTheirState) {
  std::vector<GuestRecord> guests{guest_of(1, "a"), guest_of(2, "b"), guest_of(3, "c")};
  const quota::Promised each = quota::cost_of(guests[0].identity.limits);
  guests[1].desired = Desired::Stopped;
  guests[2].failure = "gone wrong";
  const quota::Promised sum = promised_to(guests);
  EXPECT_EQ(sum.memory.bytes(), 3 * each.memory.bytes());
  EXPECT_EQ(sum.disk.bytes(), 3 * each.disk.bytes());
  EXPECT_EQ(promised_to({}).memory, ByteSize(0));
}

}  // namespace
}  // namespace umlfarm::daemon
