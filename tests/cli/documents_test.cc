// Help, manual pages and completion agree with the verbs that there are.
#include "provisioner/cli/command.h"
#include "provisioner/cli/help.h"
#include "tests/support/result_matchers.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::testing {
namespace {

const std::string kSource = UMLFARM_SOURCE_DIRECTORY;

std::string completions(const std::string& words, int at) {
  const Ran ran = run_program({"bash", "-c",
                               ". " + kSource + "/deploy/completion/umlfarm; COMP_WORDS=(" + words +
                                   "); COMP_CWORD=" + std::to_string(at) +
                                   "; _umlfarm; printf '%s\\n' \"${COMPREPLY[@]}\""});
  EXPECT_EQ(ran.code, 0) << ran.err;
  return "\n" + ran.out;
}

TEST(Documents, NameEveryVerb) {
  const std::string page = *posix::read_file(kSource + "/deploy/man/umlfarm.1");
  const std::string help = cli::general_help();
  for (const cli::Command& command : cli::commands()) {
    EXPECT_NE(page.find(command.name), std::string::npos) << command.name << " in umlfarm.1";
    EXPECT_NE(help.find(command.name), std::string::npos) << command.name << " in the help";
    EXPECT_NE(cli::help_of(command).find("umlfarm " + command.name), std::string::npos) << command.name;
    const std::size_t space = command.name.find(' ');
    const std::string first = command.name.substr(0, space);
    EXPECT_NE(completions("umlfarm ''", 1).find("\n" + first + "\n"), std::string::npos) << command.name;
    if (space != std::string::npos) {
      EXPECT_NE(completions("umlfarm " + first + " ''", 2).find("\n" + command.name.substr(space + 1) + "\n"),
                std::string::npos)
          << command.name;
    }
  }
}

TEST(Documents, CompleteEveryOption) {
  for (const cli::Command& command : cli::commands()) {
    if (command.name.find(' ') != std::string::npos || command.options.options().empty()) continue;
    const std::string offered = completions("umlfarm " + command.name + " --", 2);
    for (const auto& option : command.options.options()) {
      EXPECT_NE(offered.find("\n--" + option->long_name() + "\n"), std::string::npos)
          << "--" << option->long_name() << " of " << command.name << " among" << offered;
    }
  }
}

TEST(Documents, AreWellFormedManualPages) {
  for (const char* page :
       {"umlfarm.1", "umlfarmd.8", "umlfarm-hostsetup.8", "umlfarm-probe.8", "umlfarm.toml.5"}) {
    const Ran ran = run_program({"groff", "-man", "-Tutf8", "-ww", "-z", kSource + "/deploy/man/" + page});
    EXPECT_EQ(ran.code, 0) << page << ": " << ran.err;
    EXPECT_EQ(ran.err, "") << page;
  }
}

}  // namespace
}  // namespace umlfarm::testing
