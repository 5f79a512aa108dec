#include "provisioner/daemon/guest_table.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/provisioner/daemon/records.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::daemon {
namespace {

using testing::is_error;
using testing::is_ok;

// Keeps guests in memory, unless its disk is full.
class FakeStore final : public StateStore {
 public:
  bool full = false;
  std::map<std::int64_t, GuestRecord> rows;
  quota::Sums kept;

  std::string farm_id() const override { return "f"; }
  Result<std::vector<GuestRecord>> guests() override {
    std::vector<GuestRecord> records;
    for (const auto& [number, record] : rows) records.push_back(record);
    return records;
  }
  Result<std::vector<GuestRecord>> add_guests(std::vector<GuestRecord> records,
                                              const std::function<void(GuestRecord&)>& finish) override {
    UMLFARM_TRY(write());
    for (GuestRecord& record : records) {
      record.number = ++last_;
      finish(record);
      rows[record.number] = record;
    }
    return records;
  }
  Status update_guest(const GuestRecord&, const GuestRecord& after) override {
    UMLFARM_TRY(write());
    rows[after.number] = after;
    return {};
  }
  Status remove_guest(const GuestRecord& record) override {
    UMLFARM_TRY(write());
    rows.erase(record.number);
    return {};
  }
  Result<quota::Sums> sums() override { return kept; }
  Status set_sums(const quota::Sums& sums) override {
    UMLFARM_TRY(write());
    kept = sums;
    return {};
  }
  Result<std::map<std::int64_t, quota::Traffic>> traffic() override {
    return std::map<std::int64_t, quota::Traffic>();
  }
  Status put_traffic(const std::map<std::int64_t, quota::Traffic>&) override { return write(); }
  Result<UsesSeen> uses_seen(std::int64_t) override { return UsesSeen(); }
  Status add_uses(const std::vector<UseEntry>&, const UsesSeen&) override { return write(); }
  Result<std::vector<UseSum>> sum_uses(const UseQuery&) override { return std::vector<UseSum>(); }
  Status forget_uses_before(quota::Hour) override { return write(); }
  Result<std::vector<Tenant>> tenants() override { return std::vector<Tenant>(); }
  Status put_tenant(const Tenant&) override { return write(); }
  Status remove_tenant(const std::string&) override { return write(); }
  Result<std::vector<CatalogEntry>> catalog(Catalog) override { return std::vector<CatalogEntry>(); }
  Status put(Catalog, const CatalogEntry&) override { return write(); }
  Status remove(Catalog, const std::string&) override { return write(); }
  Status add_event(const Event&) override { return write(); }
  Status forget_events(std::int64_t, std::int64_t) override { return write(); }
  Result<std::vector<Event>> events(const EventQuery&) override { return std::vector<Event>(); }

 private:
  Status write() const { return full ? Status(Error(Kind::QuotaExceeded, "disk full")) : Status(); }
  std::int64_t last_ = 0;
};

class GuestTableTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"alice", "bob"}) {
      ASSERT_THAT(table_.add({guest_of(0, name)}, {}, [](GuestRecord&) {}), is_ok());
    }
  }
  // What a daemon that starts now would know.
  std::vector<std::string> stored() { return texts_of(*store_.guests()); }
  std::vector<std::string> known() const { return texts_of(table_.records()); }

  FakeStore store_;
  quota::Ledger ledger_;
  GuestTable table_{store_, ledger_};
};

TEST_F(GuestTableTest, LoadsWhatTheStoreHolds) {
  quota::Ledger ledger;
  GuestTable fresh(store_, ledger);
  EXPECT_TRUE(fresh.all().empty());
  ASSERT_THAT(fresh.load(), is_ok());
  EXPECT_EQ(texts_of(fresh.records()), known());
}

TEST_F(GuestTableTest, KeepsTheLedgerAtWhatItsGuestsArePromised) {
  const auto memory = [&] { return ledger_.of("tenant default")[quota::Resource::Memory]; };
  EXPECT_EQ(memory(), 2 * ByteSize::mib(64).bytes());
  const auto to = [](ByteSize size) { return [size](GuestRecord& record) { record.limits.memory = size; }; };
  ASSERT_THAT(table_.resize(1, {}, to(ByteSize::mib(32))), is_ok());
  EXPECT_EQ(memory(), ByteSize::mib(96).bytes());
  quota::AccountBounds bounds;
  bounds["tenant default"][quota::Resource::Memory] = ByteSize::mib(100).bytes();
  EXPECT_THAT(table_.resize(1, bounds, to(ByteSize::mib(37))),
              is_error(Kind::QuotaExceeded, "tenant default"));
  EXPECT_EQ(table_.find(1)->record.limits.memory, ByteSize::mib(32));
  ASSERT_THAT(table_.resize(1, bounds, to(ByteSize::mib(36))), is_ok());
  store_.full = true;
  EXPECT_FALSE(table_.resize(1, {}, to(ByteSize::mib(64))));
  EXPECT_FALSE(table_.forget(2));
  EXPECT_EQ(memory(), ByteSize::mib(100).bytes()) << "what the disk did not take is not promised";
  store_.full = false;
  ASSERT_THAT(table_.forget(2), is_ok());
  EXPECT_EQ(memory(), ByteSize::mib(36).bytes());
}

TEST_F(GuestTableTest, HealsSumsThatAreNotThoseOfTheGuests) {
  store_.kept = ledger_.sums();
  quota::Ledger ledger;
  GuestTable fresh(store_, ledger);
  EXPECT_EQ(*fresh.load(), "");
  store_.kept["host"][quota::Resource::Guests] = 7;
  EXPECT_EQ(*fresh.load(), "host: guests 7 kept, 2 by its guests");
  EXPECT_EQ(store_.kept, ledger_.sums());
  EXPECT_EQ(ledger.sums(), ledger_.sums());
}

TEST_F(GuestTableTest, AddsWhatTheStoreMadeOfTheRecords) {
  const auto added = table_.add({guest_of(0, "carol"), guest_of(0, "dave")}, {},
                                [](GuestRecord& record) { record.identity.mac = "mac of " + record.id(); });
  ASSERT_THAT(added, is_ok());
  EXPECT_EQ(table_.find("dave")->record.identity.mac, "mac of g4");
  EXPECT_EQ(table_.find(3)->record.name, "carol");
  EXPECT_EQ(known(), stored());
}

TEST_F(GuestTableTest, ChangesStoreAndMemoryOrNeither) {
  const auto stop = [](GuestRecord& record) { record.desired = Desired::Stopped; };
  ASSERT_THAT(table_.update(1, stop), is_ok());
  EXPECT_EQ(table_.find("alice")->record.desired, Desired::Stopped);
  EXPECT_EQ(known(), stored());
  const std::vector<std::string> before = known();
  store_.full = true;
  EXPECT_THAT(table_.update(2, stop), is_error(Kind::QuotaExceeded, "full"));
  EXPECT_THAT(table_.forget(1), is_error(Kind::QuotaExceeded, "full"));
  EXPECT_THAT(table_.add({guest_of(0, "carol")}, {}, [](GuestRecord&) {}),
              is_error(Kind::QuotaExceeded, "full"));
  EXPECT_EQ(known(), before);
  EXPECT_EQ(stored(), before);
}

TEST_F(GuestTableTest, ForgetsAGuestForGood) {
  ASSERT_THAT(table_.forget(1), is_ok());
  EXPECT_FALSE(table_.find(1).has_value());
  EXPECT_THAT(table_.find("alice"), is_error(Kind::NotFound, "alice"));
  EXPECT_THAT(table_.update(1, [](GuestRecord&) {}), is_error(Kind::NotFound, "g1"));
  table_.update_live(1, [](Live&) { ADD_FAILURE() << "there is no such guest"; });
  EXPECT_EQ(known(), stored());
}

TEST_F(GuestTableTest, KeepsWhatIsSeenThroughAChangeOfTheRecord) {
  table_.update_live(1, [](Live& live) { live.trouble = "busy", live.supervised = true; });
  ASSERT_THAT(table_.update(1, [](GuestRecord& record) { record.restarts = 2; }), is_ok());
  const auto alice = table_.find(1);
  EXPECT_EQ(alice->live.trouble, "busy");
  EXPECT_TRUE(alice->live.supervised);
  EXPECT_EQ(alice->record.restarts, 2U);
  EXPECT_EQ(table_.find(2)->live.trouble, "");
}

TEST_F(GuestTableTest, LetsOneWorkAtAGuestWhoLooksAgainWhenAsked) {
  EXPECT_TRUE(table_.begin_work(1));
  EXPECT_TRUE(table_.begin_work(2)) << "another guest";
  EXPECT_FALSE(table_.begin_work(1));
  EXPECT_FALSE(table_.begin_work(1));
  EXPECT_FALSE(table_.end_work(1)) << "it was asked for meanwhile";
  EXPECT_FALSE(table_.begin_work(1)) << "and still works";
  EXPECT_FALSE(table_.end_work(1));
  EXPECT_TRUE(table_.end_work(1));
  EXPECT_TRUE(table_.begin_work(1));
}

TEST_F(GuestTableTest, EndsTheWorkOnAGuestThatWent) {
  ASSERT_TRUE(table_.begin_work(1));
  ASSERT_FALSE(table_.begin_work(1));
  ASSERT_THAT(table_.forget(1), is_ok());
  EXPECT_TRUE(table_.end_work(1));
  EXPECT_FALSE(table_.begin_work(1));
}

TEST_F(GuestTableTest, LosesNoChangeOfManyAtOnce) {
  constexpr int kThreads = 4;
  constexpr int kEach = 250;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        EXPECT_THAT(table_.update(1, [](GuestRecord& record) { ++record.restarts_ever["crashed"]; }),
                    is_ok());
        table_.update_live(1, [](Live& live) { ++live.failures; });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(all_restarts(table_.find(1)->record), 1U * kThreads * kEach);
  EXPECT_EQ(table_.find(1)->live.failures, 1U * kThreads * kEach);
  EXPECT_EQ(known(), stored());
}

}  // namespace
}  // namespace umlfarm::daemon
