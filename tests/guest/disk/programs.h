// Runs the programs that our files are compared with.
#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

namespace umlfarm::testing {

struct Outcome {
  int exit_code = -1;
  std::string output;  // stdout and stderr
};

// `command` goes to sh; PATH gets the directories that administrators' tools are in.
inline Outcome run(const std::string& command) {
  Outcome outcome;
  FILE* pipe = ::popen(("PATH=$PATH:/usr/sbin:/sbin; exec 2>&1; " + command).c_str(), "r");
  if (pipe == nullptr) return outcome;
  std::array<char, 4096> chunk;
  while (const std::size_t got = std::fread(chunk.data(), 1, chunk.size(), pipe)) {
    outcome.output.append(chunk.data(), got);
  }
  const int status = ::pclose(pipe);
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

}  // namespace umlfarm::testing
