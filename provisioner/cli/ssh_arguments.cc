#include "provisioner/cli/ssh_arguments.h"

namespace umlfarm::cli {

std::string shell_quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::vector<std::string> ssh_arguments(const SshTarget& target, const std::vector<std::string>& command) {
  std::string proxy;
  for (const std::string& word : {target.self, std::string("--socket"), target.socket, std::string("tunnel"),
                                  target.guest, std::string("22")}) {
    proxy += (proxy.empty() ? "" : " ") + shell_quoted(word);
  }
  // ssh expands percent signs in it.
  std::string escaped;
  for (const char c : proxy) escaped += c == '%' ? std::string("%%") : std::string(1, c);
  const std::string alias = "umlfarm-" + target.id;
  std::vector<std::string> arguments{"ssh", "-oProxyCommand=" + escaped, "-oHostKeyAlias=" + alias,
                                     // No file holds the key: nothing to keep, to share or to clean up.
                                     "-oKnownHostsCommand=/bin/echo " + alias + " " + target.host_key,
                                     "-oUserKnownHostsFile=none", "-oGlobalKnownHostsFile=none",
                                     "-oStrictHostKeyChecking=yes", "-oCheckHostIP=no", "-oLogLevel=ERROR"};
  for (const std::string& identity : target.identities) arguments.push_back("-i" + identity);
  arguments.push_back("-l" + target.user);
  arguments.push_back("--");
  arguments.push_back(target.guest);
  arguments.insert(arguments.end(), command.begin(), command.end());
  return arguments;
}

}  // namespace umlfarm::cli
