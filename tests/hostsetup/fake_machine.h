// A directory that stands for a machine, and programs that answer what a test says.
#pragma once

#include <map>
#include <string>

#include "hostsetup/check.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::hostsetup {

class FakeMachine {
 public:
  // A host on which every check holds, as a vps. Its files are those of a real one, shortened.
  FakeMachine();

  const Machine& machine() const { return machine_; }
  // Makes the directories too.
  void write(const std::string& path, const std::string& text);
  void remove(const std::string& path);
  std::string read(const std::string& path) const;
  // What a program, with its arguments, says from now on. All others are not there.
  void answers(const std::string& command, const std::string& output, int code = 0);
  // What umlfarm-probe says of a flavour.
  void probes(const std::string& flavour, const std::string& output, int code = 0);
  const std::vector<std::string>& ran() const { return ran_; }

  Profile profile;
  config::Config farm = config::defaults();
  Context context() const { return {machine_, profile, farm}; }
  Finding finding(const std::string& check) const;

 private:
  testing::TemporaryDirectory directory_;
  std::map<std::string, Finished> programs_;
  std::vector<std::string> ran_;
  Machine machine_;
};

}  // namespace umlfarm::hostsetup
