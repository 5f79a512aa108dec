#include "hostsetup/record.h"

#include "tests/hostsetup/fake_machine.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::hostsetup {
namespace {

using testing::is_error;
using testing::is_ok;

const Place kPids{Sort::Setting, "/proc/sys/kernel/pid_max"};

TEST(Record, IsReadAsItWasWritten) {
  const FakeMachine host;
  const Record record{{kPids, "1", "2", Standing()},
                      {{Sort::File, "/etc/x \"y\""}, {}, "0644 0:0\n\xc3\xa4\n"},
                      {{Sort::Enabled, "u"}, "a", {}}};
  ASSERT_THAT(save_record(host.machine(), record), is_ok());
  const auto read = load_record(host.machine());
  ASSERT_THAT(read, is_ok());
  ASSERT_EQ(read->size(), record.size());
  for (std::size_t i = 0; i < record.size(); ++i) {
    EXPECT_EQ((*read)[i].place, record[i].place);
    EXPECT_EQ((*read)[i].before, record[i].before);
    EXPECT_EQ((*read)[i].after, record[i].after);
    EXPECT_EQ((*read)[i].earlier, record[i].earlier);
  }
}

TEST(Record, IsEmptyWhereThereIsNone) {
  const FakeMachine host;
  const auto read = load_record(host.machine());
  ASSERT_THAT(read, is_ok());
  EXPECT_TRUE(read->empty());
}

TEST(Record, IsNeverTakenForEmptyWhereItIsDamaged) {
  for (const char* text : {"", "{", "{}", "[1]", R"([{"sort":"file"}])",
                           R"([{"sort":"moon","name":"a","before":null,"after":null}])",
                           R"([{"sort":"file","name":"a","before":1,"after":null}])"}) {
    FakeMachine host;
    host.write(std::string(kRecordDirectory) + "/record.json", text);
    EXPECT_THAT(load_record(host.machine()), is_error(Kind::Invalid, "record.json")) << text;
  }
}

TEST(Record, KeepsTheFirstThatWasBefore) {
  Record record = noted({}, kPids, "1", "2");
  record = noted(record, kPids, "2", "3");
  ASSERT_EQ(record.size(), 1U);
  EXPECT_EQ(record[0].before, "1");
  EXPECT_EQ(record[0].after, "3");
  record = noted(record, kPids, "7", "3");
  EXPECT_EQ(record[0].before, "7") << "others put it there";
  EXPECT_TRUE(without(record, kPids).empty());
}

TEST(Record, KeepsWhatWasBeforeOverARunThatWasKilled) {
  Record record = noted({}, kPids, "1", "2");
  // The run died before it wrote: the value is as before.
  record = noted(record, kPids, "1", "2");
  EXPECT_EQ(record[0].before, "1");
}

}  // namespace
}  // namespace umlfarm::hostsetup
