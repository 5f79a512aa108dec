// The folder graph of the design: what may include what.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>

namespace umlfarm::testing {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = UMLFARM_SOURCE_DIRECTORY;

// Folders that a folder may include, beside itself. Tests may include anything.
const std::map<std::string, std::set<std::string>> kAllowed{
    {"provisioner/base", {}},
    {"quota", {"provisioner/base"}},
    {"metrics", {"provisioner/base"}},
    {"provisioner/config", {"provisioner/base", "quota"}},
    {"hostsetup", {"provisioner/base", "provisioner/config", "quota"}},
    {"guest/jail", {"provisioner/base"}},
    {"guest/mconsole", {"provisioner/base"}},
    {"guest/disk", {"provisioner/base"}},
    {"guest/net", {"provisioner/base", "quota"}},
    {"guest/boot", {"provisioner/base", "guest/jail"}},
    {"guest/probe", {"provisioner/base", "guest/jail"}},
    {"guest/supervisor", {"provisioner/base", "guest/jail", "guest/mconsole"}},
    {"provisioner/api", {"provisioner/base"}},
    {"provisioner/cli", {"provisioner/base", "provisioner/api", "guest/disk"}},
    {"provisioner/daemon",
     {"provisioner/base", "provisioner/config", "provisioner/api", "quota", "metrics", "guest/boot",
      "guest/disk", "guest/net", "guest/supervisor"}},
};

// The jail runs between fork and exec: no threads, no Boost, no TLS.
const std::set<std::string> kOfBaseForTheJail{"provisioner/base/result.h", "provisioner/base/unique_fd.h",
                                              "provisioner/base/posix.h"};

std::string folder_of(const fs::path& file) {
  const std::string folder = file.parent_path().generic_string();
  if (folder == "hostsetup/checks") return "hostsetup";
  for (const char* part : {"quota/controllers", "quota/disk", "quota/libvirt"}) {
    if (folder == part) return "quota";
  }
  return folder == "provisioner/cli/commands" ? "provisioner/cli" : folder;
}

struct Include {
  std::string in;  // file
  std::string of;
  bool ours = false;
};

std::vector<Include> all_includes() {
  static const std::regex kLine(R"(\s*#\s*include\s*(["<])([^">]+)[">].*)");
  std::vector<Include> found;
  for (const char* top : {"provisioner", "guest", "quota", "metrics", "hostsetup"}) {
    for (const auto& entry : fs::recursive_directory_iterator(kSource / top)) {
      const std::string extension = entry.path().extension();
      if (extension != ".h" && extension != ".cc") continue;
      std::ifstream file(entry.path());
      std::smatch match;
      for (std::string line; std::getline(file, line);) {
        if (!std::regex_match(line, match, kLine)) continue;
        found.push_back({entry.path().lexically_relative(kSource), match[2], match[1] == "\""});
      }
    }
  }
  return found;
}

TEST(Includes, FollowTheFolderGraph) {
  std::set<std::string> seen;
  for (const Include& include : all_includes()) {
    const std::string from = folder_of(include.in);
    seen.insert(from);
    ASSERT_TRUE(kAllowed.contains(from)) << include.in << " is in a folder that the graph does not know";
    if (!include.ours) continue;
    const std::string to = folder_of(include.of);
    EXPECT_TRUE(fs::exists(kSource / include.of)) << include.in << ": '" << include.of << "' is no path";
    EXPECT_TRUE(from == to || kAllowed.at(from).contains(to)) << include.in << " includes " << include.of;
  }
  for (const auto& [folder, allowed] : kAllowed) {
    EXPECT_TRUE(seen.contains(folder)) << folder << " is gone from the tree, and stays in the graph";
  }
}

TEST(Includes, OfTheJailAreFew) {
  for (const Include& include : all_includes()) {
    if (folder_of(include.in) != "guest/jail") continue;
    EXPECT_FALSE(include.of.starts_with("boost/") || include.of.starts_with("openssl/") ||
                 include.of == "thread" || include.of == "mutex")
        << include.in << " includes " << include.of;
    if (include.of.starts_with("provisioner/")) {
      EXPECT_TRUE(kOfBaseForTheJail.contains(include.of)) << include.in << " includes " << include.of;
    }
  }
}

// What only one place may know.
TEST(Includes, OfLibrariesStayWhereTheyBelong) {
  const std::map<std::string, std::string> kHomes{
      {"toml++/", "provisioner/config"},  {"SQLiteCpp/", "provisioner/daemon"},
      {"boost/beast", "provisioner/api"}, {"netlink/", "guest/net"},
      {"nftables/", "guest/net"},         {"seccomp.h", "guest/jail"},
      {"archive.h", "guest/disk"}};
  for (const Include& include : all_includes()) {
    for (const auto& [library, home] : kHomes) {
      if (!include.of.starts_with(library)) continue;
      EXPECT_EQ(folder_of(include.in), home) << include.in << " includes " << include.of;
    }
  }
}

}  // namespace
}  // namespace umlfarm::testing
