// What a kind of host wants: values of a file that a person can read.
#pragma once

#include <map>
#include <string>

#include "provisioner/base/result.h"

namespace umlfarm::hostsetup {

struct Profile {
  std::string name;       // "vps", "shell", "capacity"
  std::string summary;    // a line for people
  unsigned guests = 100;  // that the host is prepared for
  bool smt = false;       // whether guests may share a core with each other
  bool swap = false;      // whether memory of guests may be written to the host's disks
  bool same_page_merging = false;
  std::string huge_pages = "madvise";             // of transparent_hugepage/enabled
  std::map<std::string, std::string> exceptions;  // check -> why it need not hold here
};

// The file that a machine's administrator keeps: the profile's name, and what is to be otherwise.
inline constexpr const char* kHostFile = "/etc/umlfarm/hostsetup.toml";

// Invalid with every fault at once, each with its line.
Result<Profile> parse_profile(const std::string& text, const std::string& name, Profile base = {});
// "vps" in the directory of profiles, changed by the machine's own file where there is one. `named` empty: as
// that file says, else "vps". NotFound names the profiles that there are.
Result<Profile> load_profile(const std::string& directory, const std::string& host_file,
                             const std::string& named);

}  // namespace umlfarm::hostsetup
