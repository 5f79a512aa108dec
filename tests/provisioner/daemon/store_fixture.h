// A real store in a directory of its own, opened as often as a test likes.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "provisioner/daemon/state_store.h"
#include "tests/provisioner/daemon/records.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::daemon {

inline void as_they_are(GuestRecord&) {}

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override { reopen(); }

  void reopen() {
    store_.reset();
    auto opened = open_sqlite_store(path_);
    ASSERT_THAT(opened, testing::is_ok());
    store_ = *std::move(opened);
  }

  // Guests called by their numbers, as the store gives them: the first is "n1".
  std::vector<GuestRecord> add(std::int64_t first, std::int64_t count) {
    std::vector<GuestRecord> records;
    for (std::int64_t n = first; n < first + count; ++n)
      records.push_back(guest_of(n, "n" + std::to_string(n)));
    auto added = store_->add_guests(std::move(records), as_they_are);
    EXPECT_THAT(added, testing::is_ok());
    return added.value_or(std::vector<GuestRecord>());
  }

  std::vector<std::string> stored() {
    const auto guests = store_->guests();
    EXPECT_THAT(guests, testing::is_ok());
    return texts_of(guests.value_or(std::vector<GuestRecord>()));
  }

  testing::TemporaryDirectory directory_;
  const std::string path_ = directory_ / "state.db";
  std::unique_ptr<StateStore> store_;
};

}  // namespace umlfarm::daemon
