#include <gtest/gtest.h>

#include "provisioner/daemon/requests.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::daemon {
namespace {

using testing::is_error;
using testing::is_ok;

TEST(CreateRequest, ReadsEveryField) {
  const auto request = read_create_request(R"({
    "name": "lab", "count": 20, "plan": "tiny", "image": "mine", "kernel": "fast", "memory": "48M",
    "ssh_keys": ["one", "two"], "root_password_hash": "$6$x",
    "disks": [{"file": "/srv/a.img", "mode": "ro"}, {"file": "/srv/b.img", "mode": "ro"}]})");
  ASSERT_THAT(request, is_ok());
  EXPECT_EQ(request->name, "lab");
  EXPECT_EQ(request->count, 20U);
  EXPECT_EQ(request->plan, "tiny");
  EXPECT_EQ(request->image, "mine");
  EXPECT_EQ(request->kernel, "fast");
  EXPECT_EQ(request->memory, ByteSize::mib(48));
  EXPECT_THAT(request->ssh_keys, ::testing::ElementsAre("one", "two"));
  EXPECT_EQ(request->root_password_hash, "$6$x");
  EXPECT_THAT(request->extra_disks, ::testing::ElementsAre("/srv/a.img", "/srv/b.img"));
}

TEST(CreateRequest, LeavesOutToTheDefaults) {
  const auto request = read_create_request(R"({"name": "alice"})");
  ASSERT_THAT(request, is_ok());
  EXPECT_EQ(request->count, 1U);
  EXPECT_EQ(request->plan, "");
  EXPECT_FALSE(request->memory.has_value());
}

TEST(CreateRequest, TakesMemoryInBytesToo) {
  EXPECT_EQ(read_create_request(R"({"memory": 33554432})")->memory, ByteSize::mib(32));
}

TEST(CreateRequest, RefusesWhatIsNoObject) {
  for (const char* body : {"", "[]", "null", "\"alice\"", "{", "{} {}", "{\"name\": \"\xff\"}"}) {
    EXPECT_THAT(read_create_request(body), is_error(Kind::Invalid, "JSON object")) << body;
  }
}

TEST(CreateRequest, NamesTheFieldThatIsWrong) {
  const struct {
    const char* field;
    const char* value;
  } rows[] = {{"name", "1"},
              {"name", "null"},
              {"count", "\"1\""},
              {"count", "-1"},
              {"count", "1.5"},
              {"count", "4294967296"},
              {"count", "1e3"},
              {"count", "18446744073709551615"},
              {"plan", "[]"},
              {"image", "{}"},
              {"kernel", "true"},
              {"memory", "-1"},
              {"memory", "\"lots\""},
              {"memory", "1.5"},
              {"memory", "[]"},
              {"ssh_keys", "\"key\""},
              {"ssh_keys", "[1]"},
              {"root_password_hash", "1"},
              {"disks", "{}"},
              {"disks", "[\"/srv/a.img\"]"},
              {"disks", "[{}]"},
              {"disks", R"([{"file": "/srv/a.img"}])"},
              {"colour", "1"},
              {"disks", R"([{"file": "/srv/a.img", "mode": "rw"}])"},
              {"", "1"},
              {"disks", R"([{"file": 1, "mode": "ro"}])"}};
  for (const auto& row : rows) {
    const std::string body = "{\"" + std::string(row.field) + "\": " + row.value + "}";
    EXPECT_THAT(read_create_request(body), is_error(Kind::Invalid, "'" + std::string(row.field) + "'"))
        << body;
  }
}

}  // namespace
}  // namespace umlfarm::daemon
