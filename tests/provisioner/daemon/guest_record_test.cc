#include "provisioner/daemon/guest_record.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/provisioner/daemon/records.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::daemon {
namespace {

namespace json = boost::json;
using testing::is_error;
using testing::is_ok;

// The object that a field of a path such as "limits.memory" is in, and the field's own name.
std::pair<json::object*, std::string> locate(json::object& document, std::string path) {
  json::object* object = &document;
  for (std::size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.')) {
    object = &object->at(path.substr(0, dot)).as_object();
    path = path.substr(dot + 1);
  }
  return {object, path};
}

std::vector<std::string> paths_of(const json::object& object, const std::string& prefix = "") {
  std::vector<std::string> paths;
  for (const auto& member : object) {
    paths.push_back(prefix + std::string(member.key()));
    if (!member.value().is_object()) continue;
    // What it never died of is not there.
    if (paths.back() == "restarts_ever") continue;
    const auto inner = paths_of(member.value().as_object(), paths.back() + ".");
    paths.insert(paths.end(), inner.begin(), inner.end());
  }
  return paths;
}

TEST(GuestRecord, ReadsBackEveryFieldThatItWrites) {
  const GuestRecord record = full_guest();
  const auto again = record_from_json(record.number, json::serialize(to_json(record)));
  ASSERT_THAT(again, is_ok());
  EXPECT_EQ(text_of(*again), text_of(record));
  EXPECT_EQ(again->number, record.number);
  EXPECT_EQ(again->id(), "g17");
  EXPECT_EQ(again->identity.host_key_dropbear, record.identity.host_key_dropbear);
  EXPECT_EQ(again->identity.ssh_keys, record.identity.ssh_keys);
  EXPECT_EQ(again->last_exit, record.last_exit);
}

// A field that to_json() forgot would read back as its default, and nothing else would tell.
TEST(GuestRecord, WritesEveryFieldThatDiffersFromItsDefault) {
  json::object full = to_json(full_guest());
  json::object plain = to_json(GuestRecord());
  const std::vector<std::string> paths = paths_of(full);
  EXPECT_EQ(paths.size(), 59U) << "a new field: set it in full_guest()";
  for (const std::string& path : paths) {
    const auto [object, key] = locate(full, path);
    const auto [other, same] = locate(plain, path);
    EXPECT_NE(object->at(key), other->at(same)) << path;
  }
}

TEST(GuestRecord, ReadsBackEveryDesiredState) {
  for (const Desired desired : {Desired::Running, Desired::Stopped, Desired::Absent}) {
    GuestRecord record;
    record.desired = desired;
    const auto again = record_from_json(1, json::serialize(to_json(record)));
    ASSERT_THAT(again, is_ok());
    EXPECT_EQ(again->desired, desired);
  }
}

TEST(GuestRecord, RefusesTextThatIsNoRecord) {
  const std::string whole = json::serialize(to_json(full_guest()));
  for (const std::string& text : {std::string(), std::string("{}"), std::string("[]"), std::string("null"),
                                  std::string("17"), std::string("{\"name\":"), std::string("\0", 1),
                                  whole.substr(0, whole.size() / 2), whole + "x", "[" + whole + "]"}) {
    EXPECT_THAT(record_from_json(7, text), is_error(Kind::Internal, "g7")) << text;
  }
}

TEST(GuestRecord, RefusesARecordThatLacksAField) {
  for (const std::string& path : paths_of(to_json(full_guest()))) {
    json::object document = to_json(full_guest());
    const auto [object, key] = locate(document, path);
    object->erase(key);
    EXPECT_THAT(record_from_json(7, json::serialize(document)), is_error(Kind::Internal, "g7")) << path;
  }
}

TEST(GuestRecord, RefusesAFieldOfAnotherType) {
  for (const std::string& path : paths_of(to_json(full_guest()))) {
    for (const json::value& wrong : {json::value(nullptr), json::value(json::array{1}), json::value(1.5)}) {
      json::object document = to_json(full_guest());
      const auto [object, key] = locate(document, path);
      object->at(key) = wrong;
      EXPECT_THAT(record_from_json(7, json::serialize(document)), is_error(Kind::Internal, "g7"))
          << path << " = " << wrong;
    }
  }
}

TEST(GuestRecord, RefusesNumbersOutOfRange) {
  const struct {
    const char* path;
    json::value value;
  } rows[] = {{"identity.uid", -1},
              {"identity.uid", 4'294'967'296},
              {"identity.address", -1},
              {"limits.memory", -1},
              {"limits.disk", -1},
              {"limits.processes", 4'294'967'296},
              {"restarts", -1},
              {"restarts_ever.crashed", 4'294'967'296},
              {"last_exit_ms", UINT64_MAX},
              {"identity.created_ms", 1e300}};
  for (const auto& row : rows) {
    json::object document = to_json(full_guest());
    const auto [object, key] = locate(document, row.path);
    object->at(key) = row.value;
    EXPECT_THAT(record_from_json(7, json::serialize(document)), is_error(Kind::Internal, "g7"))
        << row.path << " = " << row.value;
  }
}

}  // namespace
}  // namespace umlfarm::daemon
