// The machine that is set up, as checks see it. All files hang under one root, so that a directory can stand
// for it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "provisioner/base/result.h"
#include "provisioner/base/run_program.h"

namespace umlfarm::hostsetup {

// Runs a program; what it says on both outputs. Found as root would find it, who has /usr/sbin in PATH.
using Runner = std::function<Result<Finished>(const std::vector<std::string>& arguments)>;
Result<Finished> run_quietly(const std::vector<std::string>& arguments);
// For a directory that stands for another machine, whose services and modules this one's programs know
// nothing of.
Result<Finished> run_nothing(const std::vector<std::string>& arguments);

// There where systemd is the machine's first process (sd_booted(3)).
inline constexpr const char* kSystemd = "/run/systemd/system";

class Machine {
 public:
  explicit Machine(std::string root = {}, Runner run = run_quietly)
      : root_(std::move(root)), run_(std::move(run)) {}

  const std::string& root() const { return root_; }
  std::string at(const std::string& path) const { return root_ + path; }
  bool has(const std::string& path) const;
  // The whole file; nothing where it is missing or cannot be read.
  std::optional<std::string> text(const std::string& path) const;
  // A setting below /proc/sys or /sys, in one line with single spaces; of "always [madvise] never" what is
  // chosen.
  std::optional<std::string> setting(const std::string& path) const;
  // Names in a directory, sorted; none where it is missing.
  std::vector<std::string> names(const std::string& path) const;
  // An error also where it ends with another code than 0.
  Status run(const std::vector<std::string>& arguments) const;
  // What it said and how it ended; nothing where there is no such program.
  std::optional<Finished> ask(const std::vector<std::string>& arguments) const;
  // The first line of that, whatever its code.
  std::optional<std::string> answer(const std::vector<std::string>& arguments) const;

 private:
  std::string root_;
  Runner run_;
};

}  // namespace umlfarm::hostsetup
