#include <SQLiteCpp/SQLiteCpp.h>

#include <thread>

#include "tests/provisioner/daemon/store_fixture.h"

namespace umlfarm::daemon {
namespace {

using testing::is_error;
using testing::is_ok;

class SqliteStore : public StoreTest {
 protected:
  std::vector<std::string> messages(std::int64_t since, unsigned limit) {
    const auto events = store_->events({since, "", limit});
    EXPECT_THAT(events, is_ok());
    std::vector<std::string> texts;
    for (const Event& event : events.value_or(std::vector<Event>())) texts.push_back(event.message);
    return texts;
  }
  std::vector<std::string> names(Catalog which) {
    const auto entries = store_->catalog(which);
    EXPECT_THAT(entries, is_ok());
    std::vector<std::string> found;
    for (const CatalogEntry& entry : entries.value_or(std::vector<CatalogEntry>()))
      found.push_back(entry.name);
    return found;
  }
};

TEST_F(SqliteStore, GivesBackEveryFieldOfAGuestAfterReopening) {
  GuestRecord record = full_guest();
  const auto added = store_->add_guests({record}, as_they_are);
  ASSERT_THAT(added, is_ok());
  record.number = added->front().number;
  EXPECT_EQ(text_of(added->front()), text_of(record));
  EXPECT_THAT(stored(), ::testing::ElementsAre(text_of(record)));
  reopen();
  EXPECT_THAT(stored(), ::testing::ElementsAre(text_of(record)));
}

TEST_F(SqliteStore, CompletesEachRecordFromItsNumberBeforeItIsWritten) {
  const auto added = store_->add_guests({guest_of(1, "a"), guest_of(2, "b")}, [](GuestRecord& record) {
    record.identity.mac = "mac of " + record.id();
  });
  ASSERT_THAT(added, is_ok());
  EXPECT_EQ((*added)[0].identity.mac, "mac of g1");
  EXPECT_EQ((*added)[1].identity.mac, "mac of g2");
  EXPECT_EQ(stored(), texts_of(*added));
}

TEST_F(SqliteStore, AddsAllGuestsOrNone) {
  add(1, 2);
  const std::vector<std::string> before = stored();
  using Change = void (*)(GuestRecord&);
  const Change shared[] = {[](GuestRecord& r) { r.name = "n1"; },
                           [](GuestRecord& r) { r.identity.uid = 2'000'001; },
                           [](GuestRecord& r) { r.identity.address = 1; },
                           [](GuestRecord& r) { r.identity.mac = guest_of(1, "n1").identity.mac; }};
  for (const Change change : shared) {
    std::vector<GuestRecord> batch{guest_of(3, "n3"), guest_of(4, "n4"), guest_of(5, "n5")};
    change(batch[1]);
    EXPECT_THAT(store_->add_guests(batch, as_they_are), is_error(Kind::Conflict, "UNIQUE"));
    EXPECT_EQ(stored(), before);
    change(batch[2]);
    batch.erase(batch.begin() + 1);
    EXPECT_THAT(store_->add_guests(batch, as_they_are), is_error(Kind::Conflict, "UNIQUE"));
    EXPECT_EQ(stored(), before);
  }
  EXPECT_EQ(add(3, 1).front().number, 3);
}

TEST_F(SqliteStore, NeverGivesANumberTwice) {
  EXPECT_EQ(add(1, 3).back().number, 3);
  for (const std::int64_t number : {1, 2, 3})
    ASSERT_THAT(store_->remove_guest(guest_of(number, "")), is_ok());
  EXPECT_EQ(add(4, 1).front().number, 4);
  ASSERT_THAT(store_->remove_guest(guest_of(4, "")), is_ok());
  reopen();
  EXPECT_TRUE(stored().empty());
  EXPECT_EQ(add(5, 2).front().number, 5);
}

TEST_F(SqliteStore, GivesANameAnUidAndAnAddressAgainOnceTheirGuestIsRemoved) {
  GuestRecord record = add(1, 1).front();
  ASSERT_THAT(store_->remove_guest(guest_of(1, "")), is_ok());
  EXPECT_THAT(store_->add_guests({record}, as_they_are), is_ok());
}

TEST_F(SqliteStore, UpdatesOneGuestAndNoOther) {
  std::vector<GuestRecord> guests = add(1, 3);
  const GuestRecord before = guests[1];
  guests[1].desired = Desired::Stopped;
  guests[1].failure = "it's \"broken\"; DROP TABLE guests";
  ASSERT_THAT(store_->update_guest(before, guests[1]), is_ok());
  EXPECT_EQ(stored(), texts_of(guests));
  reopen();
  EXPECT_EQ(stored(), texts_of(guests));
}

TEST_F(SqliteStore, KeepsTheSumsOfItsGuests) {
  std::vector<GuestRecord> guests = add(1, 3);
  const auto memory = [&](const std::string& account) {
    const auto sums = store_->sums();
    const auto found = sums->find(account);
    return found == sums->end() ? 0 : found->second[quota::Resource::Memory];
  };
  EXPECT_EQ(memory("tenant default"), 3 * ByteSize::mib(64).bytes());
  const GuestRecord before = guests[0];
  guests[0].limits.memory = ByteSize::mib(32);
  ASSERT_THAT(store_->update_guest(before, guests[0]), is_ok());
  EXPECT_EQ(memory("tenant default"), ByteSize::mib(160).bytes());
  reopen();
  EXPECT_EQ(memory("tenant default"), ByteSize::mib(160).bytes());
  for (const GuestRecord& guest : guests) ASSERT_THAT(store_->remove_guest(guest), is_ok());
  // Once more for one that is gone takes nothing away.
  ASSERT_THAT(store_->remove_guest(guests[0]), is_ok());
  EXPECT_EQ(*store_->sums(), quota::Sums());
  ASSERT_THAT(store_->set_sums({{"host", charges_of(guests[0]).at("host")}}), is_ok());
  EXPECT_EQ(store_->sums()->size(), 1U);
}

TEST_F(SqliteStore, KeepsTrafficForAsLongAsItsGuest) {
  const std::vector<GuestRecord> guests = add(1, 2);
  const quota::Traffic much{"2026-11", {1, 2}, {std::uint64_t{1} << 50U, 4}, {"ab", {5, 6}}, true};
  const quota::Traffic little{"2026-12", {0, 0}, {0, 1}, {"", {0, 1}}, false};
  ASSERT_THAT(store_->put_traffic({{guests[0].number, little}, {guests[1].number, little}, {99, much}}),
              is_ok());
  ASSERT_THAT(store_->put_traffic({{guests[0].number, much}}), is_ok());
  reopen();
  EXPECT_EQ(*store_->traffic(),
            (std::map<std::int64_t, quota::Traffic>{{guests[0].number, much}, {guests[1].number, little}}));
  ASSERT_THAT(store_->remove_guest(guests[0]), is_ok());
  ASSERT_THAT(store_->put_traffic({{guests[0].number, much}}), is_ok());
  EXPECT_EQ(store_->traffic()->size(), 1U) << "of one that is gone nothing is kept";
}

TEST_F(SqliteStore, KeepsTenantsAndAlwaysHasTheDefaultOne) {
  ASSERT_EQ(store_->tenants()->size(), 1U);
  Tenant physics{"physics", {}, {}};
  physics.bounds[quota::Resource::Memory] = ByteSize::gib(4).bytes();
  physics.each_user[quota::Resource::Guests] = 1;
  ASSERT_THAT(store_->put_tenant(physics), is_ok());
  Tenant limited{kDefaultTenant, {}, {}};
  limited.bounds[quota::Resource::Guests] = 0;
  ASSERT_THAT(store_->put_tenant(limited), is_ok());
  reopen();
  const auto tenants = store_->tenants();
  ASSERT_EQ(tenants->size(), 2U);
  EXPECT_EQ(tenants->front().name, kDefaultTenant);
  EXPECT_EQ(tenants->front().bounds[quota::Resource::Guests], 0U);
  EXPECT_EQ(tenants->back().bounds, physics.bounds);
  EXPECT_EQ(tenants->back().each_user, physics.each_user);
  EXPECT_EQ(tenants->back().bounds[quota::Resource::Disk], quota::kUnlimited);
  ASSERT_THAT(store_->remove_tenant("physics"), is_ok());
  EXPECT_EQ(store_->tenants()->size(), 1U);
}

TEST_F(SqliteStore, HasAnIdThatStaysAndThatNoOtherHas) {
  const std::string id = store_->farm_id();
  EXPECT_EQ(id.size(), 16U);
  reopen();
  EXPECT_EQ(store_->farm_id(), id);
  const auto other = open_sqlite_store(directory_ / "other.db");
  ASSERT_THAT(other, is_ok());
  EXPECT_NE((*other)->farm_id(), id);
}

TEST_F(SqliteStore, ListsACatalogNewestFirst) {
  for (const CatalogEntry& entry : {entry_of("old", '1', 10), entry_of("new", '2', 30),
                                    entry_of("mid", '3', 20), entry_of("as-new", '4', 30)}) {
    ASSERT_THAT(store_->put(Catalog::Images, entry), is_ok());
  }
  EXPECT_THAT(names(Catalog::Images), ::testing::ElementsAre("as-new", "new", "mid", "old"));
  EXPECT_TRUE(names(Catalog::Kernels).empty());
  reopen();
  EXPECT_THAT(names(Catalog::Images), ::testing::ElementsAre("as-new", "new", "mid", "old"));
}

TEST_F(SqliteStore, GivesBackEveryFieldOfACatalogEntry) {
  const CatalogEntry entry{"strict",    std::string(64, 'e'), "6.12.1",
                           5ULL << 40U, 1'700'000'000'000,    4'000'000};
  ASSERT_THAT(store_->put(Catalog::Kernels, entry), is_ok());
  reopen();
  const auto entries = store_->catalog(Catalog::Kernels);
  ASSERT_THAT(entries, is_ok());
  ASSERT_EQ(entries->size(), 1U);
  const CatalogEntry& again = entries->front();
  EXPECT_EQ(again.name, entry.name);
  EXPECT_EQ(again.digest, entry.digest);
  EXPECT_EQ(again.version, entry.version);
  EXPECT_EQ(again.size, entry.size);
  EXPECT_EQ(again.added_ms, entry.added_ms);
  EXPECT_EQ(again.loops_per_jiffy, entry.loops_per_jiffy);
}

TEST_F(SqliteStore, HoldsADigestOnceInEachCatalog) {
  for (const Catalog which : {Catalog::Images, Catalog::Kernels}) {
    ASSERT_THAT(store_->put(which, entry_of("first", '1')), is_ok());
    ASSERT_THAT(store_->put(which, entry_of("second", '1')), is_ok());
  }
  ASSERT_THAT(store_->remove(Catalog::Images, std::string(64, '1')), is_ok());
  EXPECT_TRUE(names(Catalog::Images).empty());
  EXPECT_THAT(names(Catalog::Kernels), ::testing::ElementsAre("second"));
}

TEST_F(SqliteStore, GivesEventsInTheirOrderFromAnyPoint) {
  for (const char* message : {"one", "two", "three", "four"})
    ASSERT_THAT(store_->add_event({0, 5, "alice", "ready", message}), is_ok());
  EXPECT_THAT(messages(0, 100), ::testing::ElementsAre("one", "two", "three", "four"));
  EXPECT_THAT(messages(0, 2), ::testing::ElementsAre("one", "two"));
  const std::int64_t second = (*store_->events({0, "", 2}))[1].id;
  EXPECT_THAT(messages(second, 100), ::testing::ElementsAre("three", "four"));
  EXPECT_TRUE(messages(second + 2, 100).empty());
  EXPECT_TRUE(messages(0, 0).empty());
  reopen();
  const auto events = store_->events({second, "", 1});
  ASSERT_THAT(events, is_ok());
  EXPECT_EQ(events->front().guest, "alice");
  EXPECT_EQ(events->front().kind, "ready");
  EXPECT_EQ(events->front().time_ms, 5);
}

TEST_F(SqliteStore, ForgetsEventsByAgeAndByNumber) {
  for (int i = 1; i <= 10; ++i)
    ASSERT_THAT(store_->add_event({0, i * 100, "", "", std::to_string(i)}), is_ok());
  ASSERT_THAT(store_->forget_events(0, 10), is_ok());
  EXPECT_EQ(messages(0, 100).size(), 10U);
  ASSERT_THAT(store_->forget_events(0, 8), is_ok());
  EXPECT_EQ(messages(0, 100).front(), "3");
  ASSERT_THAT(store_->forget_events(500, 8), is_ok());
  EXPECT_THAT(messages(0, 100), ::testing::ElementsAre("5", "6", "7", "8", "9", "10"));
}

TEST_F(SqliteStore, GivesEventsOfOneGuestWithWhoAsked) {
  ASSERT_THAT(store_->add_event({0, 1, "alice", "asked", "stop", {"root", "ab12"}}), is_ok());
  ASSERT_THAT(store_->add_event({0, 2, "bob", "crashed", ""}), is_ok());
  const auto events = store_->events({0, "alice", 100});
  ASSERT_THAT(events, is_ok());
  ASSERT_EQ(events->size(), 1U);
  EXPECT_EQ(events->front().asked.by, "root");
  EXPECT_EQ(events->front().asked.request, "ab12");
}

TEST_F(SqliteStore, IsUsedByManyAtOnce) {
  constexpr unsigned kThreads = 4;
  constexpr unsigned kEach = 10;
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&] {
      for (unsigned i = 0; i < kEach; ++i) {
        EXPECT_THAT(store_->add_event({0, 0, "", "", "x"}), is_ok());
        EXPECT_THAT(store_->guests(), is_ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(messages(0, 1000).size(), kThreads * kEach);
}

}  // namespace
}  // namespace umlfarm::daemon
