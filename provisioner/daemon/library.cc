#include "provisioner/daemon/library.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>

#include "guest/boot/kernel_libraries.h"
#include "provisioner/base/as_user.h"
#include "provisioner/base/clock.h"
#include "provisioner/base/ids.h"
#include "provisioner/base/posix.h"
#include "provisioner/daemon/kernel_needs.h"
#include "provisioner/daemon/sparse_digest.h"

namespace umlfarm::daemon {
namespace {

namespace json = boost::json;

struct Source {
  std::string path;
  UniqueFd file;
  CatalogEntry entry;  // its digest empty where no manifest names one
};

std::string file_name(Catalog which) { return which == Catalog::Images ? "root.img" : "linux"; }

std::string manifest_text(const json::object& manifest, const char* key) {
  const json::value* const value = manifest.if_contains(key);
  return value != nullptr && value->is_string() ? json::value_to<std::string>(*value) : "";
}

Result<json::object> read_manifest(const std::string& directory) {
  UMLFARM_ASSIGN(const std::string text, posix::read_file(directory + "/manifest.json"));
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object())
    return Error(Kind::Invalid, directory + "/manifest.json: not a JSON object");
  return value.as_object();
}

Result<Source> find_source(Catalog which, const std::string& from) {
  UMLFARM_ASSIGN(const struct stat status, posix::stat(from));
  Source source;
  source.path = from;
  if (S_ISDIR(status.st_mode)) {
    UMLFARM_ASSIGN(const json::object manifest, read_manifest(from));
    source.path += "/" + file_name(which);
    source.entry.digest = manifest_text(manifest, which == Catalog::Images ? "digest" : "sha256");
    source.entry.name = manifest_text(manifest, which == Catalog::Images ? "name" : "flavour");
    source.entry.version = manifest_text(manifest, which == Catalog::Images ? "release" : "version");
    source.entry.features = features_of_manifest(manifest);
  } else if (which == Catalog::Images) {
    return Error(Kind::Invalid, from + ": an image is a directory with root.img and manifest.json");
  } else {
    source.entry.version = "unknown";
  }
  // Not blocked by what only looks like a file.
  UMLFARM_ASSIGN(source.file, posix::open(source.path, O_RDONLY | O_NONBLOCK));
  struct stat opened {};
  if (::fstat(source.file.get(), &opened) < 0 || !S_ISREG(opened.st_mode)) {
    return Error(Kind::Invalid, source.path + ": not a regular file");
  }
  return source;
}

// By the asker's own right: the daemon's would open anything.
Result<Source> find_source_as(uid_t asker, Catalog which, const std::string& from) {
  Result<Source> source = Error(Kind::Internal, "not looked for");
  UMLFARM_TRY(as_user(asker, [&]() -> Status {
    source = find_source(which, from);
    return {};
  }));
  return source;
}

Result<std::string> digest_of(Catalog which, const std::string& path) {
  if (which == Catalog::Kernels) return sha256_file(path);
  UMLFARM_ASSIGN(const UniqueFd file, posix::open(path, O_RDONLY));
  return digest_sparse(file.get(), -1);
}

// Into `staging`; the digest of what was copied.
Result<std::string> copy_in(Catalog which, const Source& source, const std::string& staging) {
  const std::string file = staging + "/" + file_name(which);
  const mode_t mode = which == Catalog::Images ? 0444 : 0755;
  UMLFARM_ASSIGN(const UniqueFd to, posix::open(file, O_RDWR | O_CREAT | O_EXCL, 0600));
  UMLFARM_ASSIGN(std::string digest, digest_sparse(source.file.get(), to.get()));
  // Of every copy the same, as disks on an image name its time: one that replaces a damaged one fits them.
  constexpr timespec kTime[] = {{1'704'067'200, 0}, {1'704'067'200, 0}};
  if (::fchmod(to.get(), mode) < 0 || ::futimens(to.get(), kTime) < 0 || ::fsync(to.get()) < 0)
    return system_error("keep " + staging);
  // Of the copy: the source may change at any time.
  return which == Catalog::Images ? digest : sha256_file(file);
}

std::string home(Catalog which, const Paths& paths) {
  return which == Catalog::Images ? paths.images() : paths.kernels();
}

Result<CatalogEntry> fill(Catalog which, const Source& source, const std::string& staging) {
  UMLFARM_ASSIGN(const std::string digest, copy_in(which, source, staging));
  if (!source.entry.digest.empty() && source.entry.digest != digest) {
    return Error(Kind::Invalid, source.path + " has digest " + digest + ", its manifest says " +
                                    source.entry.digest + ": it was changed; build it again");
  }
  CatalogEntry entry = source.entry;
  entry.digest = digest;
  UMLFARM_ASSIGN(const struct stat status, posix::stat(staging + "/" + file_name(which)));
  entry.size = static_cast<std::uint64_t>(status.st_size);
  entry.added_ms = wall_clock_ms();
  if (::chmod(staging.c_str(), 0711) < 0) return system_error("chmod " + staging);
  UMLFARM_TRY(posix::sync_directory(staging));
  return entry;
}

}  // namespace

Staged::~Staged() {
  // What stays is swept when the daemon starts.
  if (!directory_.empty()) (void)!posix::remove_tree(directory_);
}

Result<Staged> stage(Catalog which, const Paths& paths, const std::string& from, const std::string& name,
                     uid_t asker) {
  UMLFARM_ASSIGN(Source source, find_source_as(asker, which, from));
  if (!name.empty()) source.entry.name = name;
  UMLFARM_TRY(check_name(which == Catalog::Images ? "image name" : "kernel name", source.entry.name));
  Staged staged({}, home(which, paths) + "/.new-" + random_hex(8));
  UMLFARM_TRY(posix::make_directories(staged.directory(), 0700));
  UMLFARM_ASSIGN(staged.entry(), fill(which, source, staged.directory()));
  if (which == Catalog::Kernels) {
    if (auto checked = guest::kernel_libraries(staged.directory() + "/" + file_name(which)); !checked) {
      return Error(Kind::Invalid, source.path + ": not a Linux program for x86-64");
    }
  }
  return staged;
}

Status place(Catalog which, const Paths& paths, const Staged& staged) {
  const std::string target = home(which, paths) + "/" + staged.entry().digest;
  if (!posix::exists(target)) {
    if (::rename(staged.directory().c_str(), target.c_str()) < 0) return system_error("rename to " + target);
  } else {
    if (verify(which, paths, staged.entry().digest)) return {};
    if (::renameat2(AT_FDCWD, staged.directory().c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) < 0)
      return system_error("put " + staged.directory() + " in place of the damaged " + target);
  }
  return posix::sync_directory(home(which, paths));
}

Status verify(Catalog which, const Paths& paths, const std::string& digest) {
  const std::string path = home(which, paths) + "/" + digest + "/" + file_name(which);
  UMLFARM_ASSIGN(const std::string found, digest_of(which, path));
  if (found == digest) return {};
  return Error(Kind::Conflict,
               path + " was changed: its digest is " + found +
                   "; guests on it may be damaged; stop them, and add the same again to repair it");
}

Status remove_files(Catalog which, const Paths& paths, const std::string& digest) {
  return posix::remove_tree(home(which, paths) + "/" + digest);
}

Status sweep(Catalog which, const Paths& paths, const std::vector<CatalogEntry>& entries) {
  UMLFARM_ASSIGN(const std::vector<std::string> names, posix::list_directory(home(which, paths)));
  for (const std::string& name : names) {
    const bool known = std::any_of(entries.begin(), entries.end(),
                                   [&](const CatalogEntry& entry) { return entry.digest == name; });
    if (!known) UMLFARM_TRY(remove_files(which, paths, name));
  }
  return {};
}

}  // namespace umlfarm::daemon
