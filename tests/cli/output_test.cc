// What people and programs read.
#include <signal.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <set>
#include <sstream>

#include "tests/support/test_farm.h"

namespace umlfarm::testing {
namespace {

TEST(Output, OfAListHasOneLineForEachGuest) {
  const TestFarm farm;
  farm.create("lab", {"--count", "2"});
  const std::string list = farm.ok({"list"});
  std::istringstream lines(list);
  std::string header, first, second, rest;
  std::getline(lines, header);
  std::getline(lines, first);
  std::getline(lines, second);
  EXPECT_TRUE(header.starts_with("NAME")) << list;
  EXPECT_TRUE(first.starts_with("lab-1 ") && first.find("ready") != std::string::npos) << list;
  EXPECT_TRUE(second.starts_with("lab-2 ") && second.find("ready") != std::string::npos) << list;
  EXPECT_FALSE(std::getline(lines, rest)) << list;
  EXPECT_EQ(farm.ok({"list", "--names"}), "lab-1\nlab-2\n");
}

TEST(Output, OfEventsTellsAGuestsLife) {
  const TestFarm farm;
  farm.create("alice");
  farm.ok({"stop", "alice"});
  farm.ok({"delete", "alice"});
  const std::string events = farm.ok({"events", "--guest", "alice"});
  std::size_t at = 0;
  for (const char* kind : {"created", "started", "ready", "stopped", "deleted"}) {
    at = events.find(kind, at);
    ASSERT_NE(at, std::string::npos) << kind << " in " << events;
  }
}

// All that followed from one request has its name, and what came about by itself has none.
TEST(Output, OfEventsSaysWhoAsked) {
  const TestFarm farm;
  farm.create("alice");
  farm.ok({"stop", "alice"});
  std::map<std::string, std::set<std::string>> requests;
  std::istringstream lines(farm.ok({"--json", "events", "--guest", "alice"}));
  for (std::string line; std::getline(lines, line);) {
    const boost::json::value event = boost::json::parse(line);
    const auto text = [&](const char* key) { return boost::json::value_to<std::string>(event.at(key)); };
    EXPECT_EQ(text("asked_by"), "root") << line;
    requests[text("request")].insert(text("kind"));
  }
  ASSERT_EQ(requests.size(), 2U);
  for (const auto& [request, kinds] : requests) {
    EXPECT_EQ(request.size(), 8U);
    const bool first = kinds.contains("created");
    EXPECT_EQ(kinds, (first ? std::set<std::string>{"created", "started", "ready"}
                            : std::set<std::string>{"asked", "stopped"}));
  }
  farm.ok({"start", "alice"});
  const std::int64_t started = farm.number("alice", "started_ms");
  ::kill(farm.kernel_of("alice"), SIGKILL);
  EXPECT_TRUE(eventually([&] { return farm.is_ready_again("alice", started); }));
  EXPECT_NE(farm.ok({"events", "--guest", "alice"}).find("alice  crashed  "), std::string::npos);
  const std::string events = farm.ok({"--json", "events", "--guest", "alice"});
  const std::string death = events.substr(events.find("\"crashed\""));
  EXPECT_NE(death.find("\"asked_by\":\"\""), std::string::npos) << death;
}

// Of two who want it otherwise, what becomes of it follows from the later one.
TEST(Output, OfEventsFollowsTheLaterRequest) {
  const TestFarm farm;
  farm.create("alice");
  const std::int64_t started = farm.number("alice", "started_ms");
  farm.ok({"stop", "alice", "--no-wait"});
  farm.ok({"start", "alice"});
  EXPECT_TRUE(eventually([&] { return farm.is_ready_again("alice", started); }));
  std::string asked;
  std::string ready;
  std::istringstream lines(farm.ok({"--json", "events", "--guest", "alice"}));
  for (std::string line; std::getline(lines, line);) {
    const boost::json::value event = boost::json::parse(line);
    if (event.at("message") == "start") asked = boost::json::value_to<std::string>(event.at("request"));
    if (event.at("kind") == "ready") ready = boost::json::value_to<std::string>(event.at("request"));
  }
  EXPECT_NE(asked, "");
  EXPECT_EQ(ready, asked);
}

// By its name alone, who reads would not know what a command has done.
TEST(Output, OfEventsSaysWhichCommandTheConsoleGot) {
  const TestFarm farm;
  farm.create("alice");
  farm.ok({"mconsole", "alice", "proc", "uptime"});
  EXPECT_NE(farm.umlfarm({"mconsole", "alice", "nonsense"}).code, 0);
  const std::string events = farm.ok({"events", "--guest", "alice"});
  EXPECT_NE(events.find("mconsole proc uptime"), std::string::npos) << events;
  EXPECT_NE(events.find("mconsole nonsense"), std::string::npos) << events;
  EXPECT_NE(farm.umlfarm({"mconsole", "alice", "a\nb" + std::string(195, 'c') + "\u00e9"}).code, 0);
  EXPECT_NE(farm.ok({"events"}).find("mconsole a?bccc"), std::string::npos);
  // Whoever asked for something that is over has not asked for what its owner does.
  farm.ssh("alice", "poweroff");
  const auto all = [&] { return farm.ok({"--json", "events", "--guest", "alice"}); };
  EXPECT_TRUE(eventually([&] { return all().find("\"powered_off\"") != std::string::npos; }));
  const std::string off = all().substr(all().find("\"powered_off\""));
  EXPECT_NE(off.find("\"asked_by\":\"\""), std::string::npos) << off;
}

TEST(Output, OfEventsFollows) {
  const TestFarm farm;
  const std::string log = farm / "events";
  const pid_t follower = start_program({std::string(UMLFARM_BUILD_DIRECTORY) + "/provisioner/cli/umlfarm",
                                        "--socket", farm.socket(), "events", "--follow"},
                                       log);
  farm.create("alice");
  EXPECT_TRUE(eventually([&] { return posix::read_file(log)->find("ready") != std::string::npos; }));
  ::kill(follower, SIGTERM);
  wait_for_end(follower);
}

TEST(Output, OfLogsHoldsTheBoot) {
  const TestFarm farm;
  farm.create("alice");
  EXPECT_NE(farm.ok({"logs", "alice"}).find("Linux version 6.12"), std::string::npos);
}

TEST(Output, OfAGuestNamesWhatItIs) {
  const TestFarm farm;
  farm.create("alice");
  const std::string shown = farm.ok({"show", "alice"});
  for (const std::string& part : {std::string("alice"), std::string("ready"), farm.field("alice", "address4"),
                                  farm.field("alice", "mac"), std::string("32 MiB")}) {
    EXPECT_NE(shown.find(part), std::string::npos) << part << " in\n" << shown;
  }
}

TEST(Output, OfSshIsTheCommandsOwn) {
  const TestFarm farm;
  farm.create("alice");
  const Ran ran = farm.ssh("alice", "echo out; echo err >&2; exit 7");
  EXPECT_EQ(ran.code, 7);
  EXPECT_EQ(ran.out, "out\n");
  EXPECT_NE(ran.err.find("err"), std::string::npos);
}

// `words` to the command line, of which only the first lines are read.
Ran read_from(const TestFarm& farm, const std::string& words, int lines) {
  return run_program({"sh", "-c",
                      std::string(UMLFARM_BUILD_DIRECTORY) + "/provisioner/cli/umlfarm --socket " +
                          farm.socket() + " " + words + " | head -n " + std::to_string(lines)});
}

TEST(Output, EndsWhenNobodyReadsIt) {
  const TestFarm farm;
  farm.create("alice");
  const Ran log = read_from(farm, "logs alice --follow", 1);
  EXPECT_EQ(log.code, 0) << log.err;
  // All that there is: nothing more comes that could not be written.
  const std::string all = farm.ok({"events"});
  const Ran events =
      read_from(farm, "events --follow", static_cast<int>(std::count(all.begin(), all.end(), '\n')));
  EXPECT_EQ(events.code, 0) << events.err;
  EXPECT_EQ(events.out, all);
  farm.ok({"status"});
}

}  // namespace
}  // namespace umlfarm::testing
