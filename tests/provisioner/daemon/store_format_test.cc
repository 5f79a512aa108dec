#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <boost/algorithm/string/replace.hpp>

#include "provisioner/base/atomic_file.h"
#include "provisioner/base/clock.h"
#include "provisioner/base/ids.h"
#include "provisioner/base/posix.h"
#include "tests/provisioner/daemon/store_fixture.h"

namespace umlfarm::daemon {
namespace {

using testing::is_error;
using testing::is_ok;

// As the sixth was: nothing was known of what guests had used.
void to_sixth(SQLite::Database& database) {
  database.exec(
      "DROP TABLE uses; DROP TABLE use_seen; PRAGMA user_version = 6;"
      "ALTER TABLE events DROP COLUMN asked_by; ALTER TABLE events DROP COLUMN request;"
      "UPDATE guests SET record = json_remove(record, '$.suspended')");
}

// As the fifth was: a number of restarts, without their causes.
void to_fifth(SQLite::Database& database) {
  to_sixth(database);
  database.exec(
      "PRAGMA user_version = 5; UPDATE guests SET record = json_set(record, '$.restarts_ever', "
      "(SELECT coalesce(sum(value), 0) FROM json_each(record, '$.restarts_ever')))");
}

// As the fourth was: no kernel that could let disks grow.
void to_fourth(SQLite::Database& database) {
  to_fifth(database);
  database.exec(
      "PRAGMA user_version = 4; UPDATE catalog SET features = json_remove(features, '$.growing_disks');"
      "UPDATE guests SET record = json_remove(record, '$.identity.kernel_features.growing_disks')");
}

// As the third was: no traffic, and no limits of the network.
void to_third(SQLite::Database& database) {
  to_fourth(database);
  database.exec(
      "DROP TABLE traffic; PRAGMA user_version = 3;"
      "UPDATE guests SET record = json_remove(record, '$.limits.rate_in', '$.limits.rate_out', "
      "'$.limits.network_burst', '$.limits.packets', '$.limits.traffic', '$.limits.traffic_end', "
      "'$.limits.throttled_rate', '$.limits.host_memory', '$.limits.read_rate', "
      "'$.limits.write_rate', '$.limits.read_operations', '$.limits.write_operations')");
}

// As the second format was: limits belonged to what a guest is, and nothing else was counted.
void to_second(SQLite::Database& database) {
  to_third(database);
  database.exec(
      "DROP TABLE sums; DROP TABLE tenants; PRAGMA user_version = 2;"
      "UPDATE guests SET record = json_remove(json_set(record, '$.identity.limits', json_extract(record, "
      "'$.limits')),"
      "'$.limits', '$.identity.user', '$.identity.limits.memory_ceiling', '$.identity.limits.cpu_weight',"
      "'$.identity.limits.cpu_percent')");
}

class StoreFormat : public StoreTest {
 protected:
  // What guests are once they were of an older program.
  static std::vector<std::string> without_growing(std::vector<std::string> records) {
    for (std::string& record : records) {
      boost::algorithm::replace_all(record, R"("growing_disks":true)", R"("growing_disks":false)");
    }
    return records;
  }
  std::string file() const { return posix::read_file(path_).value_or(std::string()); }
};

TEST_F(StoreFormat, OfANewerProgramIsRefusedAndLeftAlone) {
  add(1, 2);
  const std::vector<std::string> before = stored();
  store_.reset();
  const auto set_format = [&](int format) {
    SQLite::Database(path_, SQLite::OPEN_READWRITE).exec("PRAGMA user_version = " + std::to_string(format));
  };
  set_format(8);
  const std::string content = file();
  for (int i = 0; i < 2; ++i) EXPECT_THAT(open_sqlite_store(path_), is_error(Kind::Invalid, "newer"));
  EXPECT_EQ(sha256(file()), sha256(content));
  EXPECT_THAT(posix::list_directory(directory_.path()).value_or(std::vector<std::string>()),
              ::testing::ElementsAre("state.db"));
  set_format(7);
  reopen();
  EXPECT_EQ(stored(), before);
}

TEST_F(StoreFormat, OfTheSixthProgramIsTakenOverAndCountsFromThenOn) {
  const std::int64_t number = add(1, 2).front().number;
  quota::Traffic traffic;
  traffic.ever = {7, 8};
  ASSERT_THAT(store_->put_traffic({{number, traffic}}), is_ok());
  const std::vector<std::string> before = stored();
  store_.reset();
  {
    SQLite::Database database(path_, SQLite::OPEN_READWRITE);
    to_sixth(database);
  }
  const std::int64_t now = wall_clock_ms();
  reopen();
  EXPECT_EQ(stored(), before);
  const auto seen = store_->uses_seen(0);
  ASSERT_THAT(seen, is_ok());
  ASSERT_EQ(seen->size(), 2U);
  EXPECT_GE(seen->at(number).at.wall_ms, now - 1000);
  EXPECT_EQ(seen->at(number).cpu_made, quota::kUnknownCounter);
  EXPECT_EQ(seen->at(number).traffic, (quota::Carried{7, 8}));
  EXPECT_EQ(seen->at(number + 1).traffic, quota::Carried());
}

TEST_F(StoreFormat, OfTheFifthProgramIsTakenOver) {
  add(1, 2);
  const GuestRecord before_deaths = store_->guests()->front();
  GuestRecord record = before_deaths;
  record.restarts_ever = {{"crashed", 3}, {"panicked", 1}};
  ASSERT_THAT(store_->update_guest(before_deaths, record), is_ok());
  std::vector<std::string> expected = stored();
  boost::algorithm::replace_all(expected.front(), R"({"crashed":3,"panicked":1})", R"({"unknown":4})");
  store_.reset();
  {
    SQLite::Database database(path_, SQLite::OPEN_READWRITE);
    to_fifth(database);
  }
  reopen();
  EXPECT_EQ(stored(), expected);
}

TEST_F(StoreFormat, OfTheFourthProgramIsTakenOver) {
  add(1, 2);
  ASSERT_THAT(store_->put(Catalog::Kernels, entry_of("strict", 'a')), is_ok());
  const std::vector<std::string> before = stored();
  store_.reset();
  {
    SQLite::Database database(path_, SQLite::OPEN_READWRITE);
    to_fourth(database);
  }
  reopen();
  EXPECT_EQ(stored(), without_growing(before));
  EXPECT_FALSE(store_->catalog(Catalog::Kernels)->front().features.growing_disks);
}

TEST_F(StoreFormat, OfTheThirdProgramIsTakenOver) {
  add(1, 2);
  const std::vector<std::string> before = stored();
  const quota::Sums sums = *store_->sums();
  store_.reset();
  {
    SQLite::Database database(path_, SQLite::OPEN_READWRITE);
    to_third(database);
  }
  reopen();
  EXPECT_EQ(stored(), without_growing(before));
  EXPECT_EQ(*store_->sums(), sums);
  EXPECT_TRUE(store_->traffic()->empty());
}

TEST_F(StoreFormat, OfTheSecondProgramIsTakenOver) {
  add(1, 2);
  const std::vector<std::string> before = stored();
  const quota::Sums sums = *store_->sums();
  store_.reset();
  {
    SQLite::Database database(path_, SQLite::OPEN_READWRITE);
    to_second(database);
  }
  reopen();
  EXPECT_EQ(stored(), without_growing(before));
  EXPECT_EQ(*store_->sums(), sums);
}

// Its kernels say what they can once they are added again; its guests go on as they were made.
TEST_F(StoreFormat, OfTheFirstProgramIsTakenOver) {
  add(1, 2);
  CatalogEntry kernel = entry_of("strict", 'a');
  ASSERT_THAT(store_->put(Catalog::Kernels, kernel), is_ok());
  store_.reset();
  {
    SQLite::Database database(path_, SQLite::OPEN_READWRITE);
    to_second(database);
    database.exec(
        "ALTER TABLE catalog DROP COLUMN features; PRAGMA user_version = 1;"
        "UPDATE guests SET record = json_remove(record, '$.identity.kernel_features', "
        "'$.identity.limits.processors')");
  }
  reopen();
  const auto kernels = store_->catalog(Catalog::Kernels);
  ASSERT_THAT(kernels, is_ok());
  ASSERT_EQ(kernels->size(), 1U);
  EXPECT_EQ(kernels->front().name, "strict");
  EXPECT_FALSE(kernels->front().features.durable_disks);
  const auto guests = store_->guests();
  ASSERT_THAT(guests, is_ok());
  ASSERT_EQ(guests->size(), 2U);
  EXPECT_EQ(guests->front().limits.processors, 1U);
  ASSERT_THAT(store_->put(Catalog::Kernels, kernel), is_ok());
  EXPECT_TRUE(store_->catalog(Catalog::Kernels)->front().features.durable_disks);
}

TEST_F(StoreFormat, OfAnotherProgramIsRefusedAndLeftAlone) {
  store_.reset();
  for (const std::string& content : {std::string("not a database, and longer than the header of one would be "
                                                 "if it were: that takes a hundred bytes, which these are."),
                                     std::string(8192, '\0'), std::string(8192, 'x')}) {
    ASSERT_THAT(write_file_atomically(path_, content, 0600), is_ok());
    EXPECT_FALSE(open_sqlite_store(path_));
    EXPECT_EQ(file(), content);
  }
}

TEST_F(StoreFormat, HasNoPlaceWhereNoFileCanBe) {
  EXPECT_THAT(open_sqlite_store(directory_ / "none/state.db"), is_error(Kind::NotFound, "none/state.db"));
  EXPECT_THAT(open_sqlite_store(directory_.path()), is_error(Kind::Invalid, directory_.path()));
}

TEST_F(StoreFormat, IsReadableByItsOwnerOnly) {
  add(1, 1);
  const auto names = posix::list_directory(directory_.path());
  ASSERT_THAT(names, is_ok());
  for (const std::string& name : *names) {
    const auto status = posix::stat(directory_ / name);
    ASSERT_THAT(status, is_ok());
    EXPECT_EQ(status->st_mode & 0777U, 0600U) << name;
  }
}

TEST_F(StoreFormat, KeepsWhatItSaidItKeptWhenTheDaemonDies) {
  store_.reset();
  const pid_t daemon = ::fork();
  ASSERT_GE(daemon, 0);
  if (daemon == 0) {
    auto opened = open_sqlite_store(path_);
    const bool kept = opened && (*opened)->add_guests({guest_of(1, "n1")}, as_they_are) &&
                      (*opened)->put(Catalog::Kernels, entry_of("strict", 'b')) &&
                      (*opened)->add_event({0, 0, "n1", "created", ""});
    // Nothing is closed and no log is merged, as after a kill.
    ::_exit(kept ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(daemon, &status, 0), daemon);
  ASSERT_EQ(status, 0);
  reopen();
  EXPECT_EQ(stored().size(), 1U);
  EXPECT_EQ(store_->catalog(Catalog::Kernels)->size(), 1U);
  EXPECT_EQ(store_->events({0, "", 10})->size(), 1U);
}

TEST_F(StoreFormat, RefusesARowThatItDidNotWrite) {
  add(1, 2);
  SQLite::Database(path_, SQLite::OPEN_READWRITE).exec("UPDATE guests SET record = '{}' WHERE number = 2");
  EXPECT_THAT(store_->guests(), is_error(Kind::Internal, "g2"));
}

}  // namespace
}  // namespace umlfarm::daemon
