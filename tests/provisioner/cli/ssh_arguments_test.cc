#include "provisioner/cli/ssh_arguments.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "provisioner/base/atomic_file.h"
#include "provisioner/base/run_program.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::cli {
namespace {

using testing::is_ok;
using Words = std::vector<std::string>;

SshTarget target() {
  return {
      "/usr/bin/umlfarm", "/run/umlfarm/umlfarmd.sock", "alice", "g17", "root", "ssh-ed25519 AAAAC3Nz/+", {}};
}

std::string value_of(const Words& arguments, const std::string& prefix) {
  const auto at = std::find_if(arguments.begin(), arguments.end(),
                               [&](const std::string& argument) { return argument.starts_with(prefix); });
  return at == arguments.end() ? "(none)" : at->substr(prefix.size());
}

// What ssh(1) hands to a shell: its percent signs are pairs by then.
std::string unescaped(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    plain += text[i];
    if (text[i] != '%') continue;
    EXPECT_TRUE(i + 1 < text.size() && text[i + 1] == '%') << text;
    ++i;
  }
  return plain;
}

// As a shell takes them apart.
std::string words_in_shell(const std::string& text) {
  const auto finished = run_program({"sh", "-c", "printf '<%s>\\n' " + text});
  EXPECT_THAT(finished, is_ok());
  return finished ? finished->output : "";
}

TEST(ShellQuoted, ComesOutOfAShellAsItWas) {
  for (const std::string& word :
       {std::string(), std::string("plain"), std::string("two words"), std::string("it's"), std::string("''"),
        std::string("$HOME `id` \"x\" \\ ; rm -rf / & * ? ~ # ! \t\n|<>()"), std::string("\xc3\xbc")}) {
    EXPECT_EQ(words_in_shell(shell_quoted(word)), "<" + word + ">\n");
  }
}

TEST(SshArguments, ReachTheGuestThroughThisProgramsTunnel) {
  SshTarget odd = target();
  for (const char* path : {"/run/umlfarm/umlfarmd.sock", "/tmp/it's 100% odd/$x/`y`/s"}) {
    odd.socket = path;
    odd.self = std::string(path) + "-umlfarm";
    const Words arguments = ssh_arguments(odd, {});
    EXPECT_EQ(arguments.front(), "ssh");
    EXPECT_EQ(words_in_shell(unescaped(value_of(arguments, "-oProxyCommand="))),
              "<" + odd.self + ">\n<--socket>\n<" + odd.socket + ">\n<tunnel>\n<alice>\n<22>\n");
  }
}

TEST(SshArguments, TrustTheGuestsHostKeyAlone) {
  const Words arguments = ssh_arguments(target(), {});
  EXPECT_EQ(value_of(arguments, "-oStrictHostKeyChecking="), "yes");
  EXPECT_EQ(value_of(arguments, "-oKnownHostsCommand="), "/bin/echo umlfarm-g17 ssh-ed25519 AAAAC3Nz/+");
  EXPECT_EQ(value_of(arguments, "-oUserKnownHostsFile="), "none");
  EXPECT_EQ(value_of(arguments, "-oGlobalKnownHostsFile="), "none");
  EXPECT_EQ(value_of(arguments, "-oHostKeyAlias="), "umlfarm-g17");
}

TEST(SshArguments, OfferTheIdentitiesInTheirOrder) {
  SshTarget many = target();
  many.identities = {"/home/a b/.ssh/id_ed25519", "/home/a/.ssh/id_rsa"};
  Words offered;
  for (const std::string& argument : ssh_arguments(many, {})) {
    if (argument.starts_with("-i")) offered.push_back(argument.substr(2));
  }
  EXPECT_EQ(offered, many.identities);
  EXPECT_EQ(value_of(ssh_arguments(target(), {}), "-i"), "(none)");
}

TEST(SshArguments, EndWithTheCommandAsItWasTyped) {
  for (const Words& command :
       {Words{}, Words{"uname", "-a"}, Words{"-v"}, Words{"sh", "-c", "a b; c"}, Words{""}}) {
    const Words arguments = ssh_arguments(target(), command);
    const Words end{"--", "alice"};
    const auto at = std::search(arguments.begin(), arguments.end(), end.begin(), end.end());
    ASSERT_NE(at, arguments.end());
    EXPECT_EQ(Words(at + 2, arguments.end()), command);
    // No word before it is one that ssh would take for its destination.
    EXPECT_TRUE(
        std::all_of(arguments.begin() + 1, at, [](const auto& word) { return word.starts_with("-"); }));
  }
}

TEST(SshArguments, AreWhatSshUnderstands) {
  SshTarget with_key = target();
  with_key.user = "bob";
  const testing::TemporaryDirectory directory;
  ASSERT_THAT(write_file_atomically(directory / "key", "", 0600), is_ok());
  with_key.identities = {directory / "key"};
  Words arguments = ssh_arguments(with_key, {"-p99", "uname"});
  // -G says what ssh makes of them, and does nothing; -F leaves the files of this machine out.
  arguments.insert(arguments.begin() + 1, {"-G", "-F/dev/null"});
  const auto finished = run_program(arguments);
  if (!finished) GTEST_SKIP() << finished.error().message();
  ASSERT_EQ(finished->exit_code, 0) << finished->output;
  const std::string made = "\n" + finished->output;
  for (const std::string& line :
       {std::string("user bob"), std::string("port 22"), std::string("stricthostkeychecking true"),
        std::string("hostkeyalias umlfarm-g17"), std::string("userknownhostsfile none"),
        std::string("globalknownhostsfile none"),
        "knownhostscommand /bin/echo umlfarm-g17 " + with_key.host_key,
        "identityfile " + with_key.identities[0]}) {
    EXPECT_NE(made.find("\n" + line + "\n"), std::string::npos) << line << " in" << made;
  }
}

}  // namespace
}  // namespace umlfarm::cli
