#include "hostsetup/profile.h"

#include <boost/algorithm/string/join.hpp>

#include "provisioner/base/posix.h"
#include "provisioner/config/toml_reader.h"

namespace umlfarm::hostsetup {
namespace {

constexpr const char* kUsual = "vps";

void read_choice(config::Reader& reader, const toml::table& table, const char* key,
                 const std::set<std::string>& allowed, std::string& to) {
  std::string value = to;
  reader.read(table, key, value);
  if (!allowed.contains(value)) {
    return reader.fault(table.get(key)->source(), std::string(key) + " = \"" + value + "\": must be one of " +
                                                      boost::algorithm::join(allowed, ", "));
  }
  to = value;
}

void read_exceptions(config::Reader& reader, const toml::table& table,
                     std::map<std::string, std::string>& to) {
  for (const auto& [check, reason] : table) {
    const auto text = reason.value_exact<std::string>();
    if (!text || text->empty()) {
      reader.fault(reason.source(), std::string(check.str()) + ": must say why, in a string");
      continue;
    }
    to[std::string(check.str())] = *text;
  }
}

std::string named_in(const std::string& text, const std::string& name) {
  const auto table = config::parse_toml(text, name);
  return table ? (*table)["profile"].value_or(std::string()) : std::string();
}

Result<std::string> text_of_profile(const std::string& directory, const std::string& name) {
  const std::string path = directory + "/" + name + ".toml";
  if (name.find('/') == std::string::npos && posix::exists(path)) return posix::read_file(path);
  auto names = posix::list_directory(directory);
  if (!names) return std::move(names).error().context("profiles of hosts");
  for (std::string& known : *names) known.resize(known.size() - std::min<std::size_t>(known.size(), 5));
  return Error(Kind::NotFound,
               "there is no profile '" + name + "'; there are " + boost::algorithm::join(*names, ", "));
}

}  // namespace

Result<Profile> parse_profile(const std::string& text, const std::string& name, Profile base) {
  UMLFARM_ASSIGN(const toml::table root, config::parse_toml(text, name));
  config::Reader reader(name);
  reader.known_keys(
      root, {"profile", "summary", "guests", "smt", "swap", "same_page_merging", "huge_pages", "exceptions"});
  std::string profile;
  reader.read(root, "profile", profile);
  reader.read(root, "summary", base.summary);
  reader.read(root, "guests", base.guests, 1, 60'000);
  reader.read(root, "smt", base.smt);
  reader.read(root, "swap", base.swap);
  reader.read(root, "same_page_merging", base.same_page_merging);
  read_choice(reader, root, "huge_pages", {"always", "madvise", "never"}, base.huge_pages);
  if (const auto* table = reader.section(root, "exceptions"))
    read_exceptions(reader, *table, base.exceptions);
  if (!reader.faults().empty()) return Error(Kind::Invalid, "profile:" + reader.faults());
  return base;
}

Result<Profile> load_profile(const std::string& directory, const std::string& host_file,
                             const std::string& named) {
  std::string own;
  if (posix::exists(host_file)) {
    UMLFARM_ASSIGN(own, posix::read_file(host_file));
  }
  std::string name = named.empty() ? named_in(own, host_file) : named;
  if (name.empty()) name = kUsual;
  UMLFARM_ASSIGN(const std::string text, text_of_profile(directory, name));
  UMLFARM_ASSIGN(Profile profile, parse_profile(text, directory + "/" + name + ".toml"));
  profile.name = name;
  return own.empty() ? Result<Profile>(profile) : parse_profile(own, host_file, profile);
}

}  // namespace umlfarm::hostsetup
