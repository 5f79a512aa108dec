#include "provisioner/daemon/library.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <openssl/evp.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <memory>
#include <span>
#include <vector>

#include "provisioner/base/clock.h"
#include "provisioner/base/ids.h"
#include "provisioner/base/posix.h"
#include "provisioner/daemon/sparse_digest.h"

namespace umlfarm::daemon {
namespace {

namespace json = boost::json;

struct Source {
  std::string file;
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
  if (!S_ISDIR(status.st_mode)) {
    if (which == Catalog::Images)
      return Error(Kind::Invalid, from + ": an image is a directory with root.img and manifest.json");
    source.file = from;
    source.entry.version = "unknown";
    return source;
  }
  UMLFARM_ASSIGN(const json::object manifest, read_manifest(from));
  source.file = from + "/" + file_name(which);
  source.entry.digest = manifest_text(manifest, which == Catalog::Images ? "digest" : "sha256");
  source.entry.name = manifest_text(manifest, which == Catalog::Images ? "name" : "flavour");
  source.entry.version = manifest_text(manifest, which == Catalog::Images ? "release" : "version");
  return source;
}

Result<std::string> digest_of(Catalog which, const std::string& path) {
  if (which == Catalog::Kernels) return sha256_file(path);
  UMLFARM_ASSIGN(const UniqueFd file, posix::open(path, O_RDONLY));
  return digest_sparse(file.get(), -1);
}

// Into `staging`; the digest of what was copied.
Result<std::string> copy_in(Catalog which, const Source& source, const std::string& staging) {
  const std::string file = file_name(which);
  const mode_t mode = which == Catalog::Images ? 0444 : 0755;
  UMLFARM_ASSIGN(const UniqueFd from, posix::open(source.file, O_RDONLY));
  struct stat status {};
  if (::fstat(from.get(), &status) < 0 || !S_ISREG(status.st_mode)) {
    return Error(Kind::Invalid, source.file + ": not a regular file");
  }
  UMLFARM_ASSIGN(const UniqueFd to, posix::open(staging + "/" + file, O_RDWR | O_CREAT | O_EXCL, 0600));
  UMLFARM_ASSIGN(std::string digest, digest_sparse(from.get(), to.get()));
  if (::fchmod(to.get(), mode) < 0 || ::fsync(to.get()) < 0) return system_error("keep " + staging);
  // Of the copy: the source may change at any time.
  return which == Catalog::Images ? digest : sha256_file(staging + "/" + file);
}

std::string home(Catalog which, const Paths& paths) {
  return which == Catalog::Images ? paths.images() : paths.kernels();
}

Result<CatalogEntry> place(Catalog which, const Paths& paths, const Source& source,
                           const std::string& staging) {
  UMLFARM_ASSIGN(const std::string digest, copy_in(which, source, staging));
  if (!source.entry.digest.empty() && source.entry.digest != digest) {
    return Error(Kind::Invalid, source.file + " has digest " + digest + ", its manifest says " +
                                    source.entry.digest + ": it was changed; build it again");
  }
  CatalogEntry entry = source.entry;
  entry.digest = digest;
  UMLFARM_ASSIGN(const struct stat status, posix::stat(staging + "/" + file_name(which)));
  entry.size = static_cast<std::uint64_t>(status.st_size);
  entry.added_ms = wall_clock_ms();
  const std::string target = home(which, paths) + "/" + digest;
  if (!posix::exists(target)) {
    if (::chmod(staging.c_str(), 0711) < 0) return system_error("chmod " + staging);
    UMLFARM_TRY(posix::sync_directory(staging));
    if (::rename(staging.c_str(), target.c_str()) < 0) return system_error("rename to " + target);
    UMLFARM_TRY(posix::sync_directory(home(which, paths)));
  }
  return entry;
}

}  // namespace

Result<CatalogEntry> take_in(Catalog which, const Paths& paths, const std::string& from,
                             const std::string& name) {
  UMLFARM_ASSIGN(Source source, find_source(which, from));
  if (!name.empty()) source.entry.name = name;
  UMLFARM_TRY(check_name(which == Catalog::Images ? "image name" : "kernel name", source.entry.name));
  const std::string staging = home(which, paths) + "/.new-" + random_hex(8);
  UMLFARM_TRY(posix::make_directories(staging, 0700));
  Result<CatalogEntry> entry = place(which, paths, source, staging);
  const Status cleared = posix::remove_tree(staging);
  if (entry && !cleared) return cleared.error();
  return entry;
}

Status verify(Catalog which, const Paths& paths, const std::string& digest) {
  const std::string path = home(which, paths) + "/" + digest + "/" + file_name(which);
  UMLFARM_ASSIGN(const std::string found, digest_of(which, path));
  if (found == digest) return {};
  return Error(Kind::Conflict, path + " was changed: its digest is " + found +
                                   "; guests on it may be damaged, so stop them and restore the file");
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
