#include "provisioner/daemon/traffic_book.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include "tests/provisioner/daemon/store_fixture.h"

namespace umlfarm::daemon {
namespace {

using testing::is_ok;

class TrafficBookTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    guest_ = add(1, 1).front().number;
    taps_["tg1"] = guest_;
  }
  std::int64_t guest_ = 0;
  std::map<std::string, std::int64_t> taps_;
  static guest::Counters counters(const std::string& made, std::uint64_t in, std::uint64_t out) {
    return {made, {{"tg1", {in, out}}, {"tg99", {7, 7}}}};
  }
  // As a daemon that starts now knows it.
  quota::Traffic kept() {
    TrafficBook book(*store_);
    EXPECT_THAT(book.load(), is_ok());
    return book.of(guest_);
  }
};

TEST_F(TrafficBookTest, CountsOnceWhoeverCounts) {
  {
    TrafficBook book(*store_);
    ASSERT_THAT(book.count(counters("a", 100, 10), taps_, "2026-11"), is_ok());
  }
  TrafficBook later(*store_);
  ASSERT_THAT(later.load(), is_ok());
  EXPECT_EQ(later.with(counters("a", 130, 10), "tg1", guest_, "2026-11").ever, (quota::Carried{130, 10}));
  EXPECT_EQ(kept().ever, (quota::Carried{100, 10})) << "a look keeps nothing";
  ASSERT_THAT(later.count(counters("a", 130, 10), taps_, "2026-11"), is_ok());
  ASSERT_THAT(later.count(counters("b", 500, 1), taps_, "2026-12"), is_ok());
  EXPECT_EQ(kept().ever, (quota::Carried{630, 11}));
  EXPECT_EQ(kept().this_month, (quota::Carried{500, 1}));
}

TEST_F(TrafficBookTest, OfAGuestWithoutACounterYetIsNothing) {
  TrafficBook book(*store_);
  ASSERT_THAT(book.count({"a", {}}, taps_, "2026-11"), is_ok());
  EXPECT_EQ(book.of(guest_).ever, quota::Carried());
  EXPECT_EQ(book.of(99).month, "");
}

TEST_F(TrafficBookTest, TellsOnceAMonth) {
  TrafficBook book(*store_);
  ASSERT_THAT(book.count(counters("a", 1, 1), taps_, "2026-11"), is_ok());
  ASSERT_THAT(book.set_told(guest_, true), is_ok());
  EXPECT_TRUE(kept().told);
  ASSERT_THAT(book.count(counters("a", 2, 2), taps_, "2026-11"), is_ok());
  EXPECT_TRUE(kept().told);
  ASSERT_THAT(book.count(counters("a", 2, 2), taps_, "2026-12"), is_ok());
  EXPECT_FALSE(kept().told);
}

TEST_F(TrafficBookTest, KeepsWhatItHadWhereTheStoreFails) {
  TrafficBook book(*store_);
  ASSERT_THAT(book.count(counters("a", 100, 10), taps_, "2026-11"), is_ok());
  SQLite::Database(path_, SQLite::OPEN_READWRITE).exec("DROP TABLE traffic");
  EXPECT_FALSE(book.count(counters("a", 200, 10), taps_, "2026-11"));
  EXPECT_EQ(book.of(guest_).ever, (quota::Carried{100, 10})) << "so that it is counted next time";
}

}  // namespace
}  // namespace umlfarm::daemon
