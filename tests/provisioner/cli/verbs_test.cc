// What each verb asks the daemon for, and what it refuses to ask.
#include <boost/json.hpp>
#include <iostream>
#include <sstream>

#include "provisioner/base/run_program.h"
#include "provisioner/cli/command.h"
#include "tests/provisioner/api/serving.h"
#include "tests/provisioner/cli/documents.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::cli {
namespace {

namespace json = boost::json;
namespace options = boost::program_options;
using testing::is_error;
using testing::is_ok;
using Words = std::vector<std::string>;

// std::cout for as long as it lives.
class Output {
 public:
  Output() : before_(std::cout.rdbuf(text_.rdbuf())) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() { std::cout.rdbuf(before_); }
  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::streambuf* before_;
};

std::string asked_for(const api::Request& request) {
  std::string text = request.method + " ";
  for (const std::string& segment : request.path) text += "/" + segment;
  for (const auto& [key, value] : request.query) text += " " + key + "=" + value;
  return text + (request.body.empty() ? "" : " " + request.body);
}

class Verbs : public api::Serving {
 protected:
  Verbs() {
    service_.answer = [](const api::Request& request) {
      const std::string& last = request.path.back();
      if (last == "log" || last == "events" || last == "metrics")
        return api::Response{200, "text/plain", "", {}};
      json::object document = guest_document();
      document["digest"] = "0123456789abcdef";
      document["reply"] = "OK";
      document["guests"] = {guest_document()};
      for (const char* list : {"images", "kernels", "plans", "notices", "problems"})
        document[list] = json::array();
      if (last == "status") {
        document["version"] = "0.1.0";
        document["guests"] = json::object();
        document["memory"] = document["disk"] = document["processors"] = {{"promised", 0}, {"capacity", 0}};
      }
      if (last == "usage") document = usage_document("alice", 0, 0);
      if (last == "limits") {
        document = {
            {"guest", guest_document()}, {"complete", true}, {"restarts", false}, {"summary", "changed"}};
      }
      if (last == "host") document = host_document();
      if (last == "inside") {
        document = {
            {"load", {0.5, 1, 2}}, {"memory_total", 1}, {"memory_available", 1}, {"uptime_seconds", 7.5}};
      }
      if (last == "uses") document["tenants"] = json::object();
      if (last == "uses") document["guests"] = json::array();
      if (request.path.front() == "tenants") document = tenant_document();
      if (last == "tenants") document["tenants"] = {tenant_document()};
      return api::json_response(200, document);
    };
  }

  Result<int> run(Words arguments, bool json = true) {
    const Command* const command = find_command(arguments);
    if (command == nullptr) return Error(Kind::Internal, "no such verb");
    const bool two = command->name.find(' ') != std::string::npos;
    arguments.erase(arguments.begin(), arguments.begin() + (two ? 2 : 1));
    Context context{{socket(), json}, client()};
    const Output output;
    auto code = command->run(context, arguments);
    said_ = output.text();
    return code;
  }

  std::string said_;
};

TEST_F(Verbs, AskForWhatTheyMean) {
  const struct {
    Words arguments;
    const char* asked;
  } rows[] = {
      {{"list"}, "GET /guests"},
      {{"list", "--names"}, "GET /guests"},
      {{"show", "alice"}, "GET /guests/alice"},
      {{"status"}, "GET /status"},
      {{"plan", "list"}, "GET /plans"},
      {{"image", "list"}, "GET /images"},
      {{"kernel", "list"}, "GET /kernels"},
      {{"start", "alice", "--no-wait"}, "POST /guests/alice/start {}"},
      {{"restart", "--no-wait", "alice"}, "POST /guests/alice/restart {}"},
      {{"stop", "alice", "--no-wait"}, "POST /guests/alice/stop {}"},
      {{"stop", "alice", "--no-wait", "--timeout", "3"}, R"(POST /guests/alice/stop {"deadline_ms":3000})"},
      {{"stop", "alice", "--no-wait", "--timeout=0"}, R"(POST /guests/alice/stop {"deadline_ms":0})"},
      {{"delete", "alice", "--no-wait"}, "DELETE /guests/alice"},
      {{"mconsole", "alice", "sysrq", "t"}, R"(POST /guests/alice/mconsole {"command":"sysrq t"})"},
      {{"mconsole", "alice", "--", "-x"}, R"(POST /guests/alice/mconsole {"command":"-x"})"},
      {{"events"}, "GET /events since=0"},
      {{"metrics"}, "GET /metrics"},
      {{"inside", "alice"}, "GET /guests/alice/inside"},
      {{"suspend", "alice", "--reason", "not paid", "--no-wait"},
       R"(POST /guests/alice/suspend {"reason":"not paid"})"},
      {{"unsuspend", "alice"}, "POST /guests/alice/unsuspend {}"},
      {{"usage"}, "GET /uses by=month"},
      {{"usage", "--tenant", "physics", "--month", "2026-11", "--hours", "--format", "csv"},
       "GET /uses by=hour month=2026-11 tenant=physics"},
      {{"events", "-f", "--guest", "alice", "--since", "9"}, "GET /events follow=1 guest=alice since=9"},
      {{"logs", "alice"}, "GET /guests/alice/log"},
      {{"logs", "alice", "--follow"}, "GET /guests/alice/log follow=1"},
      {{"image", "add", "/a/../b/"}, R"(POST /images {"path":"/b/"})"},
      {{"kernel", "add", "/b", "--name", "stock"}, R"(POST /kernels {"path":"/b","name":"stock"})"},
      {{"image", "verify", "debian-12"}, "POST /images/debian-12/verify {}"},
      {{"image", "remove", "0123456789abcdef"}, "DELETE /images/0123456789abcdef"},
      {{"kernel", "remove", "stock"}, "DELETE /kernels/stock"},
      {{"tenant", "list"}, "GET /tenants"},
      {{"tenant", "show", "physics"}, "GET /tenants/physics"},
      {{"tenant", "create", "physics"}, R"(POST /tenants {"name":"physics"})"},
      {{"tenant", "create", "physics", "--memory", "1G", "--user-guests", "2"},
       R"(POST /tenants {"limits":{"memory":1073741824},"each_user":{"guests":2},"name":"physics"})"},
      {{"tenant", "set", "physics", "--guests", "none"},
       R"(POST /tenants/physics {"limits":{"guests":null}})"},
      {{"tenant", "delete", "physics"}, "DELETE /tenants/physics"},
      {{"host", "show"}, "GET /host"},
      {{"quota", "alice"}, "GET /guests/alice/usage"},
      {{"set", "alice", "--memory", "64M", "--cpu-weight", "50"},
       R"(POST /guests/alice/limits {"memory":"64M","cpu_weight":50})"},
      {{"set", "alice", "--plan", "large", "--memory-ceiling", "8G", "--restart"},
       R"(POST /guests/alice/limits {"plan":"large","memory_ceiling":"8G","restart":true})"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(run(row.arguments), is_ok()) << row.asked;
    EXPECT_EQ(asked_for(service_.asked().back()), row.asked);
  }
}

TEST_F(Verbs, SayWhenAGuestGaveLessThanWasAsked) {
  service_.answer = [](const api::Request&) {
    return api::json_response(
        200,
        {{"guest", guest_document()}, {"complete", false}, {"restarts", false}, {"summary", "64 MiB asked"}});
  };
  const auto code = run({"set", "alice", "--memory", "64M"}, false);
  ASSERT_THAT(code, is_ok());
  EXPECT_EQ(*code, 5);
  EXPECT_EQ(said_, "alice: 64 MiB asked\n");
}

TEST_F(Verbs, AskForAGuestWithWhatWasGivenAlone) {
  const auto key =
      run_program({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "k", "-f", directory_ / "k"});
  if (!key) GTEST_SKIP() << key.error().message();
  const std::string file = directory_ / "k.pub";
  std::string line = posix::read_file(file).value_or("");
  line.pop_back();
  const auto body_of = [&](const Words& more) {
    Words arguments{"create", "alice", "--no-wait", "--ssh-key", file};
    arguments.insert(arguments.end(), more.begin(), more.end());
    EXPECT_THAT(run(arguments), is_ok());
    EXPECT_EQ(service_.asked().back().method, "POST");
    EXPECT_EQ(service_.asked().back().path, Words{"guests"});
    return json::parse(service_.asked().back().body);
  };
  json::object body{{"name", "alice"}, {"ssh_keys", {line}}};
  EXPECT_EQ(body_of({}), body);
  EXPECT_EQ(body_of({"--timeout", "5"}), body);
  body["ssh_keys"] = {line, line};
  EXPECT_EQ(body_of({"--ssh-key", file}), body);
  body["ssh_keys"] = {line};
  body["disks"] = {{{"file", "/a:b"}, {"mode", "ro"}}, {{"file", "/c"}, {"mode", "ro"}}};
  EXPECT_EQ(body_of({"--disk", "/a:b:ro", "--disk", "/d/../c:ro"}), body);
  body.erase("disks");
  for (const char* option : {"plan", "image", "kernel", "memory", "tenant", "user"}) {
    json::object with = body;
    with[option] = "64M";
    EXPECT_EQ(body_of({std::string("--") + option, "64M"}), with);
  }
  body["processors"] = 2;
  EXPECT_EQ(body_of({"--processors", "2"}), body);
  body.erase("processors");
  body["count"] = 3;
  body["root_password_hash"] = "$6$x";
  EXPECT_EQ(body_of({"--count", "3", "--root-password-hash", "$6$x"}), body);
}

TEST_F(Verbs, AskForEachGuestInTurn) {
  EXPECT_THAT(run({"start", "b", "a", "c", "--no-wait"}), is_ok());
  Words asked;
  for (const api::Request& request : service_.asked()) asked.push_back(request.path[1]);
  EXPECT_EQ(asked, (Words{"b", "a", "c"}));
}

TEST_F(Verbs, PrintTheDocumentForPrograms) {
  for (const Words& arguments :
       {Words{"list"}, Words{"show", "alice"}, Words{"status"}, Words{"image", "list"},
        Words{"mconsole", "alice", "version"}, Words{"kernel", "remove", "stock"}}) {
    ASSERT_THAT(run(arguments), is_ok()) << arguments[0];
    EXPECT_EQ(json::parse(said_).at("digest"), "0123456789abcdef") << said_;
    EXPECT_EQ(said_.find('\n'), said_.size() - 1);
  }
}

TEST_F(Verbs, PrintWordsForPeople) {
  ASSERT_THAT(run({"list", "--names"}, false), is_ok());
  EXPECT_EQ(said_, "alice\n");
  ASSERT_THAT(run({"mconsole", "alice", "version"}, false), is_ok());
  EXPECT_EQ(said_, "OK\n");
  for (const Words& arguments : {Words{"image", "add", "/x"}, Words{"delete", "alice", "--no-wait"}}) {
    ASSERT_THAT(run(arguments, false), is_ok()) << arguments[0];
    EXPECT_TRUE(said_.starts_with("alice: ")) << said_;
  }
}

TEST_F(Verbs, GiveTheDaemonsErrorsBack) {
  service_.answer = [](const api::Request&) {
    return api::error_response(Error(Kind::Conflict, "it is in use"));
  };
  for (const Words& arguments :
       {Words{"list"}, Words{"show", "alice"}, Words{"logs", "alice"}, Words{"events"},
        Words{"start", "alice"}, Words{"restart", "alice"}, Words{"delete", "alice"},
        Words{"mconsole", "alice", "x"}, Words{"ssh", "alice"}, Words{"image", "add", "/x"},
        Words{"kernel", "remove", "stock"}, Words{"status"}, Words{"plan", "list"}}) {
    EXPECT_THAT(run(arguments), is_error(Kind::Conflict, "it is in use")) << arguments[0];
    EXPECT_EQ(said_, "") << arguments[0];
  }
}

TEST_F(Verbs, PutNoNameIntoAnAddressThatNoThingCanHave) {
  for (const std::string name : {"", "..", "a/b", "a?b", "a%2fb", "Alice", "a b", "a\n"}) {
    for (Words arguments : {Words{"show"}, Words{"ssh"}, Words{"console"}, Words{"logs"}, Words{"start"},
                            Words{"stop"}, Words{"restart"}, Words{"delete"}, Words{"events", "--guest"},
                            Words{"image", "verify"}, Words{"image", "remove"}, Words{"kernel", "remove"}}) {
      arguments.push_back(name);
      EXPECT_THROW((void)run(arguments), options::error) << arguments[0] << " '" << name << "'";
    }
    EXPECT_THROW((void)run({"mconsole", name, "version"}), options::error) << name;
    EXPECT_THROW((void)run({"tunnel", name, "22"}), options::error) << name;
  }
  EXPECT_TRUE(service_.asked().empty());
}

TEST_F(Verbs, AskNothingWhenUsedWrongly) {
  const Words rows[] = {{"list", "x"},
                        {"list", "--colour"},
                        {"show"},
                        {"show", "a", "b"},
                        {"start"},
                        {"stop", "a", "--timeout", "soon"},
                        {"stop", "a", "--timeout", "86401"},
                        {"logs", "a", "--tail"},
                        {"events", "x"},
                        {"events", "--since", "yesterday"},
                        {"mconsole", "a"},
                        {"tunnel", "a"},
                        {"tunnel", "a", "0"},
                        {"tunnel", "a", "65536"},
                        {"tunnel", "a", "-1"},
                        {"tunnel", "a", "ssh"},
                        {"tunnel", "a", "22x"},
                        {"ssh"},
                        {"ssh", "-l", "root"},
                        {"create"},
                        {"create", "a", "b"},
                        {"create", "a", "--count", "many"},
                        {"create", "a", "--timeout", "-1"},
                        {"create", "a", "--disk", "/x"},
                        {"create", "a", "--disk", "/x:rw"},
                        {"image", "add"},
                        {"image", "build"},
                        {"kernel", "remove"},
                        {"plan", "list", "x"},
                        {"plan", "show"},
                        {"status", "x"}};
  for (const Words& arguments : rows) {
    std::string typed;
    for (const std::string& word : arguments) typed += word + " ";
    EXPECT_THROW((void)run(arguments), options::error) << typed;
    EXPECT_EQ(said_, "") << typed;
  }
  EXPECT_TRUE(service_.asked().empty());
}

}  // namespace
}  // namespace umlfarm::cli
