// The program itself, against a daemon that answers as it is told.
#include <boost/json.hpp>
#include <cstdlib>

#include "provisioner/base/run_program.h"
#include "provisioner/cli/command.h"
#include "tests/provisioner/api/serving.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::cli {
namespace {

using testing::is_ok;
using Words = std::vector<std::string>;

struct Ran {
  int code = -1;
  std::string out;
  std::string err;
};

class Program : public api::Serving {
 protected:
  // Without --socket.
  Ran run_bare(const Words& arguments, const Words& environment = {}) const {
    const std::string err = directory_ / "err";
    Words command{"sh",
                  "-c",
                  "err=$1; shift; exec \"$@\" 2>\"$err\" </dev/null",
                  "sh",
                  err,
                  "env",
                  "-u",
                  "UMLFARM_SOCKET"};
    command.insert(command.end(), environment.begin(), environment.end());
    command.emplace_back(UMLFARM_PROGRAM);
    command.insert(command.end(), arguments.begin(), arguments.end());
    const auto finished = run_program(command);
    EXPECT_THAT(finished, is_ok());
    if (!finished) return {};
    return {finished->exit_code, finished->output, posix::read_file(err).value_or("")};
  }
  Ran run(Words arguments) const {
    arguments.insert(arguments.begin(), {"--socket", socket()});
    return run_bare(arguments);
  }
};

TEST_F(Program, EndsWithTheExitCodeOfAnErrorsKind) {
  for (const Kind kind : {Kind::NotFound, Kind::Invalid, Kind::Conflict, Kind::QuotaExceeded, Kind::Denied,
                          Kind::Unavailable, Kind::Timeout, Kind::Internal}) {
    service_.answer = [kind](const api::Request&) {
      return api::error_response(Error(kind, "what; and how"));
    };
    const Ran ran = run({"show", "alice"});
    EXPECT_EQ(ran.code, exit_code(kind));
    EXPECT_EQ(ran.err, "umlfarm: what; and how\n");
    EXPECT_EQ(ran.out, "");
  }
}

TEST_F(Program, SaysWhereItLookedForADaemon) {
  const std::string nowhere = directory_ / "nowhere";
  const Ran ran = run_bare({"--socket", nowhere, "list"});
  EXPECT_EQ(ran.code, exit_code(Kind::Unavailable));
  EXPECT_NE(ran.err.find(nowhere), std::string::npos) << ran.err;
  EXPECT_EQ(ran.out, "");
}

TEST_F(Program, TakesItsSocketFromAnywhere) {
  service_.answer = [](const api::Request&) {
    return api::json_response(200, {{"guests", boost::json::array()}});
  };
  for (const Words& arguments :
       {Words{"--socket", socket(), "list"}, Words{"--socket=" + socket(), "list"},
        Words{"list", "--socket", socket()}, Words{"list", "--names", "--socket=" + socket()}}) {
    const Ran ran = run_bare(arguments, {"UMLFARM_SOCKET=/nowhere"});
    EXPECT_EQ(ran.code, 0) << ran.err;
  }
  EXPECT_EQ(run_bare({"list"}, {"UMLFARM_SOCKET=" + socket()}).code, 0);
}

TEST_F(Program, GivesTheDocumentToProgramsWhereverTheyAskForIt) {
  const boost::json::value document{{"guests", boost::json::array()}, {"more", 1}};
  service_.answer = [&](const api::Request&) { return api::json_response(200, document); };
  for (const Words& arguments : {Words{"--json", "list"}, Words{"list", "--json"}}) {
    const Ran ran = run(arguments);
    EXPECT_EQ(ran.code, 0) << ran.err;
    EXPECT_EQ(ran.out, boost::json::serialize(document) + "\n");
    EXPECT_EQ(ran.err, "");
  }
}

TEST_F(Program, LeavesOptionsToTheKernelThatTheyAreFor) {
  service_.answer = [](const api::Request&) { return api::json_response(200, {{"reply", "done"}}); };
  EXPECT_EQ(run({"mconsole", "alice", "config", "--json", "--socket"}).out, "done\n");
  ASSERT_EQ(service_.asked().size(), 1U);
  EXPECT_EQ(boost::json::parse(service_.asked()[0].body).at("command"), "config --json --socket");
}

TEST_F(Program, TellsWrongUseFromFailure) {
  const struct {
    Words arguments;
    const char* says;
  } rows[] = {{{}, "usage:"},
              {{"frobnicate"}, "'frobnicate'"},
              {{"crate", "alice"}, "'create'"},
              {{"image", "lst"}, "'image list'"},
              {{"image"}, "image"},
              {{"help", "frobnicate"}, "'frobnicate'"},
              {{"list", "--socket"}, "--socket"},
              {{"list", "--colour"}, "colour"},
              {{"show"}, "umlfarm help show"},
              {{"show", "a/b"}, "'a/b'"}};
  for (const auto& row : rows) {
    const Ran ran = run_bare(row.arguments);
    EXPECT_EQ(ran.code, 2) << row.says;
    EXPECT_NE(ran.err.find(row.says), std::string::npos) << ran.err;
    EXPECT_EQ(ran.out, "") << row.says;
  }
}

TEST_F(Program, HelpsWithEveryVerbInEveryWay) {
  EXPECT_EQ(run_bare({"help"}).out, run_bare({"--help"}).out);
  EXPECT_EQ(run_bare({"help"}).out, run_bare({"-h"}).out);
  for (const Command& command : commands()) {
    Words verb;
    const std::size_t space = command.name.find(' ');
    verb.push_back(command.name.substr(0, space));
    if (space != std::string::npos) verb.push_back(command.name.substr(space + 1));
    Words help = verb;
    help.insert(help.begin(), "help");
    const Ran asked = run_bare(help);
    EXPECT_EQ(asked.code, 0) << command.name;
    EXPECT_TRUE(asked.out.starts_with("usage: umlfarm " + command.name)) << asked.out;
    verb.emplace_back("--help");
    EXPECT_EQ(run_bare(verb).out, asked.out) << command.name;
  }
}

TEST_F(Program, HelpsWithAFamilyOfVerbs) {
  const Ran ran = run_bare({"help", "kernel"});
  EXPECT_EQ(ran.code, 0);
  for (const char* verb : {"kernel list", "kernel add", "kernel remove"}) {
    EXPECT_NE(ran.out.find(std::string("usage: umlfarm ") + verb), std::string::npos) << ran.out;
  }
}

TEST_F(Program, SaysItsVersion) {
  const Ran ran = run_bare({"version"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_TRUE(ran.out.starts_with("umlfarm ") && ran.out.ends_with("\n")) << ran.out;
  EXPECT_EQ(run_bare({"--version"}).out, ran.out);
}

}  // namespace
}  // namespace umlfarm::cli
